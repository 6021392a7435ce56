import { openRotation } from "../../functions/rotation/dependencies.ts";
import { followRotation } from "../../functions/rotation/follow-rotation.ts";
import type { RotationReport } from "../../functions/rotation/settle.ts";
import { mintEksToken } from "../../shared/cluster/eks-token.ts";
import type { RuntimeOptions } from "../../shared/relay/open-function-relay.ts";
import type { Log, LogCode, LogFields } from "../../shared/runtime/log.ts";
import type { AwsEvent, AwsSandbox, IssuedCredentials } from "../aws/start-aws-sandbox.ts";
import { lambdaContext } from "./lambda-context.ts";
import { problemOf } from "./story-problem.ts";

/** The rotation function as the stack deploys it, with the rule's events as its input. */
export type DeployedRelay = {
  /** Calls the function directly, as `aws lambda invoke` does. */
  invoke(input: unknown): Promise<Invocation>;
  /** The same, and rejects with the error of the function. */
  call(input: unknown): Promise<RotationReport>;
  /** The result of each event that the rule forwarded, oldest first. */
  readonly deliveries: readonly (Invocation & { readonly event: AwsEvent })[];
  readonly log: readonly LogLine[];
  /** A token as the relay mints it, to check its permissions. */
  mintToken(clusterName: string, credentials: IssuedCredentials): Promise<string>;
};

/** The environment variables of a function: where it takes its bindings from, and its queue. */
export type FunctionSettings = BindingsSetting & QueueSetting;

type BindingsSetting = { readonly BINDINGS_FILE: string } | { readonly BINDINGS_BUCKET: string };

/** Without a queue, the relay does not follow rollouts. */
export type QueueSetting = { readonly WORK_QUEUE_URL?: string };

/** How a function waits; by default by the clock of the machine. */
export type Pace = Pick<RuntimeOptions, "wait" | "retryStrategy">;

export type Invocation = {
  readonly report?: RotationReport;
  readonly problem?: string;
  /** From the arrival of the input until the response, when every target is written. */
  readonly ms: number;
};

export type LogLine = { readonly code: LogCode; readonly fields: LogFields };

/** A log that keeps each line and passes it on. */
export function recordLog(lines: LogLine[], onLog: (line: LogLine) => void): Log {
  return (code, fields = {}) => {
    lines.push({ code, fields });
    onLog({ code, fields });
  };
}

export async function deployRelay(
  aws: AwsSandbox,
  settings: FunctionSettings,
  now: () => number,
  { onLog = () => {}, ...pace }: Pace & { readonly onLog?: (line: LogLine) => void } = {},
): Promise<DeployedRelay> {
  const log: LogLine[] = [];
  const rotation = await openRotation(
    { ...process.env, ...settings },
    {
      ...pace,
      log: recordLog(log, onLog),
      measure: () => {},
      now,
    },
  );
  const run = followRotation(rotation);
  const call = async (input: unknown) =>
    (await run(input, lambdaContext(aws, FUNCTION_NAME, TIMEOUT_MS))) as RotationReport;

  const invoke = async (input: unknown): Promise<Invocation> => {
    const startedAt = performance.now();
    try {
      return { report: await call(input), ms: performance.now() - startedAt };
    } catch (error) {
      return { problem: problemOf(error), ms: performance.now() - startedAt };
    }
  };

  const deliveries: (Invocation & { event: AwsEvent })[] = [];
  aws.onEvent(async (event) => {
    if (!passesRule(event)) return;
    deliveries.push({ event, ...(await invoke(event)) });
  });

  return {
    invoke,
    call,
    deliveries,
    log,
    mintToken: async (clusterName, credentials) => {
      const request = { clusterName, region: aws.region, credentials, now: now(), fips: false };
      return (await mintEksToken(request)).bearer;
    },
  };
}

/** LabelUpdatedRule of template.yaml. */
function passesRule({ source, "detail-type": detailType, detail }: AwsEvent): boolean {
  const isLabelUpdated = source === "aws.secretsmanager" && detailType === "Secret Label Updated";
  return isLabelUpdated && detail.labelUpdated === "AWSCURRENT";
}

const FUNCTION_NAME = "secret-relay-rotation";
const TIMEOUT_MS = 60_000;
