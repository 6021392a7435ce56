// Stands in for Lambda's runtime: a separate process that imports the handler named by its first argument, and
// invokes it for each message of its parent. The function prints to stdout and stderr as in Lambda.
import { pathToFileURL } from "node:url";

export type HostRequest = {
  readonly event: unknown;
  /** Lambda's context without its functions, which cannot be sent to another process. */
  readonly context: object;
  readonly remainingMs: number;
};

/** Lambda's response to its caller; `error` also goes to the failure queue. */
export type HostAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly answer: unknown }
  | {
      readonly kind: "error" | "not started";
      readonly error: { errorType: string; errorMessage: string; trace: string[] };
    };

const send = (answer: HostAnswer) => process.send?.(answer);
const print = (error: unknown) => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { errorType: name, errorMessage: message, trace: (stack ?? "").split("\n") };
};

try {
  const { handler } = await import(pathToFileURL(process.argv[2] ?? "").href);
  process.on("message", async ({ event, context, remainingMs }: HostRequest) => {
    const endsAt = Date.now() + remainingMs;
    const getRemainingTimeInMillis = () => endsAt - Date.now();
    try {
      send({ kind: "answer", answer: await handler(event, { ...context, getRemainingTimeInMillis }) });
    } catch (error) {
      send({ kind: "error", error: print(error) });
    }
  });
  send({ kind: "ready" });
} catch (error) {
  send({ kind: "not started", error: print(error) });
  process.disconnect();
}
