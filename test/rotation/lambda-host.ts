// Stands where Lambda's runtime stands: a process of its own that imports the handler named by its first argument, and
// invokes it for each message of its parent. What the function prints goes to stdout and stderr as it does in Lambda.
import { pathToFileURL } from "node:url";

export type HostRequest = {
  readonly event: unknown;
  /** Lambda's context but for its functions, which cannot be sent. */
  readonly context: object;
  readonly remainingMs: number;
};

/** As Lambda answers its caller; `error` is what it also puts into the failure queue. */
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
