import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { SweepReport } from "../../shared/sweep/report.ts";

export type Invocation = {
  readonly answer?: SweepReport;
  readonly error?: { readonly name: string; readonly message: string; readonly stack: string };
  readonly ms: number;
  /** Of all threads of the process. */
  readonly cpuMs: number;
  /** The most memory that the process has held so far. */
  readonly maxRssMB: number;
};

export type LambdaProcess = {
  invoke(input: unknown, remainingMs?: number): Promise<Invocation>;
  /** Its output on stdout and stderr so far; empty if not kept. */
  output(): string;
  stop(): Promise<void>;
};

/** The built reconcile function in a child process, with Lambda's environment. */
export async function startLambdaProcess(
  handlerFile: string,
  env: Readonly<Record<string, string>>,
  { keepsOutput = false, heapMB }: { keepsOutput?: boolean; heapMB?: number } = {},
): Promise<LambdaProcess> {
  const stream = keepsOutput ? "pipe" : "ignore";
  const child: ChildProcess = fork(PROGRAM, [handlerFile], {
    env: { ...LAMBDA_ENV, ...env },
    execArgv: heapMB === undefined ? [] : [`--max-old-space-size=${heapMB}`],
    stdio: ["ignore", stream, stream, "ipc"],
  });
  const pieces: string[] = [];
  child.stdout?.setEncoding("utf8").on("data", (piece: string) => pieces.push(piece));
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => pieces.push(piece));
  const told = async <T>(): Promise<T> => {
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`The process ended with ${code}\n${pieces.join("")}`);
    });
    const [message] = await Promise.race([once(child, "message"), ended]);
    return message as T;
  };
  await told();
  return {
    invoke: (input, remainingMs = 900_000) => {
      const answered = told<Invocation>();
      child.send({ input, remainingMs });
      return answered;
    },
    output: () => pieces.join(""),
    stop: async () => {
      if (!child.connected) return; // it ran out of memory
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

const PROGRAM = fileURLToPath(new URL("./lambda-process.mjs", import.meta.url));

/** As in template.yaml; a test compares NODE_OPTIONS. */
export const LAMBDA_ENV = {
  NODE_OPTIONS: "--max-semi-space-size=8",
  POWERTOOLS_SERVICE_NAME: "reconcile",
  POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
  TZ: ":UTC",
};
