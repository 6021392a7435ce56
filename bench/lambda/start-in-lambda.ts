import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { now, startRuntimeApi } from "./runtime-api.ts";

/**
 * The stages of one cold start in ms, in order; each begins where the previous one ends.
 *
 * Before the first event: `runtime` (Node and the runtime client, until it imports the function), `import` (code, bindings
 * and clients), `credentials`, `token` (until the first call), `connect` (until all TLS connections are open) and `greet`
 * (until the servers have answered). With the event: `parse` (until the call for the live Secret), `readLive`,
 * `readSource`, `apply` and `answer` (logs, metrics, and the response of the runtime client).
 */
export type Stages = Readonly<Record<string, number>>;

export type LambdaStart = {
  readonly stages: Stages;
  /** Until the function requests its first event, and from that event to its answer. */
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

/** Starts a built function as Lambda does, invokes it with both events in turn, and stops it. */
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
    const [observed] = (await once(child, "message")) as [Observed];
    const second = await Promise.race([api.invoke(events[1], functionArn), ended]);
    return {
      stages: stagesOf(observed, { startedAt, readyAt, ...first }),
      startMs: readyAt - startedAt,
      eventMs: first.answeredAt - first.deliveredAt,
      warmMs: second.answeredAt - second.deliveredAt,
      maxRssMB: observed.maxRssMB,
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

type Observed = {
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
  { importAt, credentialsAt, signAt, calls }: Observed,
  { startedAt, readyAt, deliveredAt, answeredAt }: Moments,
): Stages {
  const early = calls.filter(({ createdAt }) => createdAt < readyAt);
  const [live, source, apply, ...others] = calls.filter((call) => !early.includes(call));
  if (live === undefined || source === undefined || apply === undefined || others.length > 0) {
    throw new Error(`Expected three calls for the first event, got ${JSON.stringify(calls)}`);
  }
  const connectedAt = Math.max(...early.map((call) => call.connectedAt ?? Number.NaN));
  const start = { runtime: importAt, import: credentialsAt, credentials: signAt, token: calls[0]?.createdAt };
  const event = { parse: live.createdAt, readLive: live.endedAt, readSource: source.endedAt };
  return {
    ...spans(startedAt, { ...start, connect: connectedAt, greet: readyAt }),
    ...spans(deliveredAt, { ...event, apply: apply.endedAt, answer: answeredAt }),
  };
}

/** The durations between the ends of consecutive stages. */
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
