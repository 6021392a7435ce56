import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { now, startRuntimeApi } from "./runtime-api.ts";

/** What one cold start was made of, in ms; each stage begins where the one before it ends. */
export type Stages = {
  /** From the start of the process until the function's code is asked for: Node and Lambda's runtime client. */
  readonly runtime: number;
  /** Until the function asks for its first event: its code is loaded, its bindings read, its clients made. */
  readonly import: number;
  /** From the event until something is signed: the event is parsed, and credentials are found. */
  readonly credentials: number;
  /** Until the first call to the cluster: the token. */
  readonly token: number;
  /** Until its connection is there, with TLS. */
  readonly connect: number;
  /** Until the live Secret is there. */
  readonly readLive: number;
  /** Until AWSCURRENT is there, with its connection. */
  readonly readSource: number;
  /** Until the API server has taken the apply. */
  readonly apply: number;
  /** Until the answer is back: logs, metrics, and what the runtime client does with them. */
  readonly answer: number;
};

export type LambdaStart = {
  readonly stages: Stages;
  readonly totalMs: number;
  readonly warmMs: number;
  readonly maxRssMB: number;
};

export type LambdaFunction = {
  /** A folder with handler.mjs. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly functionArn: string;
};

/** Starts a built function as Lambda does, gives it the events one after the other, and ends it. */
export async function startInLambda(
  runtimeFolder: string,
  { folder, env, functionArn }: LambdaFunction,
  events: readonly [first: object, second: object],
): Promise<LambdaStart> {
  const api = await startRuntimeApi();
  const startedAt = now();
  const child = spawn(
    process.execPath,
    [join(runtimeFolder, "node_modules/aws-lambda-ric/index.mjs"), "handler.handler"],
    {
      cwd: folder,
      env: {
        PATH: dirname(process.execPath),
        ...env,
        AWS_LAMBDA_RUNTIME_API: api.address,
        _HANDLER: "handler.handler",
        LAMBDA_TASK_ROOT: folder,
        AWS_LAMBDA_FUNCTION_NAME: "relay-rotation",
        AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
        AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/relay-rotation",
        AWS_LAMBDA_LOG_STREAM_NAME: "stream",
        AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
        AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
        NODE_OPTIONS: `--import ${fileURLToPath(new URL("watch-stages.mjs", import.meta.url))}`,
      },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    },
  );
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`The function's process ended with ${code}`);
  });
  ended.catch(() => {});
  try {
    const readyAt = await Promise.race([api.ready, ended]);
    const first = await Promise.race([api.invoke(events[0], functionArn), ended]);
    child.send("report");
    const [seen] = (await once(child, "message")) as [Seen];
    const second = await Promise.race([api.invoke(events[1], functionArn), ended]);
    return {
      stages: stagesOf(seen, { startedAt, readyAt, ...first }),
      totalMs: readyAt - startedAt + first.answeredAt - first.deliveredAt,
      warmMs: second.answeredAt - second.deliveredAt,
      maxRssMB: seen.maxRssMB,
    };
  } finally {
    child.kill();
    await api.stop();
  }
}

type Call = {
  readonly method: string;
  readonly isTls: boolean;
  readonly createdAt: number;
  readonly connectedAt?: number;
  readonly endedAt?: number;
};

type Seen = {
  readonly importAt: number;
  readonly signAt: number;
  readonly calls: readonly Call[];
  readonly maxRssMB: number;
};

type Moments = {
  readonly startedAt: number;
  readonly readyAt: number;
  readonly deliveredAt: number;
  readonly answeredAt: number;
};

function stagesOf(
  { importAt, signAt, calls }: Seen,
  { startedAt, readyAt, deliveredAt, answeredAt }: Moments,
): Stages {
  const [live, source, apply] = calls;
  if (calls.length !== 3 || live === undefined || source === undefined || apply === undefined) {
    throw new Error(`A first rotation makes three calls, and these were made: ${JSON.stringify(calls)}`);
  }
  const moments = [
    deliveredAt,
    signAt,
    live.createdAt,
    live.connectedAt,
    live.endedAt,
    source.endedAt,
    apply.endedAt,
    answeredAt,
  ];
  const spans = moments.slice(1).map((at = Number.NaN, index) => at - (moments[index] ?? Number.NaN));
  const [credentials = 0, token = 0, connect = 0, readLive = 0, readSource = 0, applied = 0, answer = 0] =
    spans;
  return {
    runtime: importAt - startedAt,
    import: readyAt - importAt,
    ...{ credentials, token, connect, readLive, readSource, apply: applied, answer },
  };
}
