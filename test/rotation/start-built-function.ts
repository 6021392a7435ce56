import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { AwsBackend } from "../harness/backend.ts";
import { lambdaContext } from "../harness/relay.ts";
import type { HostAnswer, HostRequest } from "./lambda-host.ts";

export type RunningFunction = {
  /** Whether it is ready; a function that cannot start has the reason, as Lambda would log it. */
  readonly start: HostAnswer;
  invoke(event: unknown, remainingMs?: number): Promise<HostAnswer>;
  /** Ends the process, and returns its whole output: stdout, then stderr. */
  stop(): Promise<string>;
};

/** Starts a built handler in a separate process, with only the environment variables of Lambda and the template. */
export async function startBuiltFunction(
  handlerFile: string,
  aws: AwsBackend,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningFunction> {
  const child = fork(fileURLToPath(new URL("lambda-host.ts", import.meta.url)), [handlerFile], {
    env: { ...aws.env, ...LAMBDA_ENV, ...TEMPLATE_ENV, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const closed = once(child, "close"); // after the process ended and its last output arrived
  const keep = (stream: Readable | null): Buffer[] => {
    const chunks: Buffer[] = [];
    stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
    return chunks;
  };
  const printed = [keep(child.stdout), keep(child.stderr)];
  const start = await nextAnswer(child);
  return {
    start,
    invoke: async (event, remainingMs = 15_000) => {
      const context = JSON.parse(JSON.stringify(lambdaContext({ aws })));
      child.send({ event, context, remainingMs } satisfies HostRequest);
      return nextAnswer(child);
    },
    stop: async () => {
      child.kill();
      await closed;
      return printed.map((chunks) => Buffer.concat(chunks).toString("utf8")).join("");
    },
  };
}

const LAMBDA_ENV = {
  AWS_LAMBDA_FUNCTION_NAME: "relay-rotation",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
  AWS_LAMBDA_LOG_FORMAT: "JSON",
  LAMBDA_TASK_ROOT: "/var/task",
  TZ: ":UTC",
};

const TEMPLATE_ENV = {
  LOG_LEVEL: "DEBUG",
  POWERTOOLS_SERVICE_NAME: "rotation",
  POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
  TARGETS_AT_ONCE: "8",
  TOKEN_LIFE_MS: "600000",
  AWS_USE_FIPS_ENDPOINT: "false",
};

async function nextAnswer(child: ChildProcess): Promise<HostAnswer> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`The function's process ended with code ${code} and without an answer`);
  });
  const [answer] = await Promise.race([once(child, "message"), ended]);
  ended.catch(() => {});
  return answer as HostAnswer;
}
