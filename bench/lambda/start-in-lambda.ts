import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { now, startRuntimeApi } from "./runtime-api.ts";

/**
 * What one cold start was made of, in ms, in the order of time; each stage begins where the one before it ends.
 *
 * Until the function asks for its first event: `runtime` (Node and Lambda's runtime client, until the function's code is
 * asked for), `import` (its code is loaded, its bindings are read, its clients are made), `credentials` (they are found),
 * `token` (until the first call), `connect` (until all connections are there, with TLS) and `greet` (until they have
 * answered). With the event: `parse` (until the call for the live Secret), `readLive`, `readSource`, `apply` (until the
 * API server has taken it) and `answer` (logs, metrics, and what the runtime client does with them).
 *
 * A function that is not warmed up finds credentials, token and connection with its event.
 */
export type Stages = Readonly<Record<string, number>>;

export type LambdaStart = {
  readonly stages: Stages;
  /** Until the function asks for its first event, and from that event to its answer. */
  readonly startMs: number;
  readonly eventMs: number;
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
      startMs: readyAt - startedAt,
      eventMs: first.answeredAt - first.deliveredAt,
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
  readonly credentialsAt: number;
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
  { importAt, credentialsAt, signAt, calls }: Seen,
  { startedAt, readyAt, deliveredAt, answeredAt }: Moments,
): Stages {
  const early = calls.filter(({ createdAt }) => createdAt < readyAt);
  const [live, source, apply, ...others] = calls.filter((call) => !early.includes(call));
  if (live === undefined || source === undefined || apply === undefined || others.length > 0) {
    throw new Error(`A first rotation makes three calls, and these were made: ${JSON.stringify(calls)}`);
  }
  const firstCallAt = calls[0]?.createdAt ?? Number.NaN;
  const connectedAt = Math.max(
    ...(early.length > 0 ? early : [live]).map(({ connectedAt = Number.NaN }) => connectedAt),
  );
  const untilCalls = { credentials: signAt, token: firstCallAt, connect: connectedAt };
  const rest = {
    readLive: live.endedAt,
    readSource: source.endedAt,
    apply: apply.endedAt,
    answer: answeredAt,
  };
  return early.length > 0
    ? {
        ...spans(startedAt, { runtime: importAt, import: credentialsAt, ...untilCalls, greet: readyAt }),
        ...spans(deliveredAt, { parse: live.createdAt, ...rest }),
      }
    : {
        ...spans(startedAt, { runtime: importAt, import: readyAt }),
        ...spans(deliveredAt, { parse: credentialsAt, ...untilCalls, ...rest }),
      };
}

/** Of moments, each the end of a stage. */
function spans(from: number, ends: Readonly<Record<string, number | undefined>>): Stages {
  let last = from;
  return Object.fromEntries(
    Object.entries(ends).map(([stage, end = Number.NaN]) => {
      const span = end - last;
      last = end;
      return [stage, span];
    }),
  );
}
