import { POINTER_KEY } from "../../shared/bindings/published/pointer.ts";
import type { AwsEvent } from "../aws/start-aws-sandbox.ts";
import type { Sandbox } from "../start-sandbox.ts";
import {
  type DeployedRelay,
  deployRelay,
  type LogLine,
  type Pace,
  type QueueSetting,
} from "./deploy-relay.ts";
import { type DeployedSweep, deploySweep, type Followed, type SweepInput } from "./deploy-sweep.ts";

export type Stack = {
  readonly relay: DeployedRelay;
  /** The sweeps that a publication started, oldest first. */
  readonly sweeps: readonly StartedSweep[];
  readonly reconcile: DeployedSweep;
  close(): void;
};

export type StartedSweep = Followed & { readonly endedAt: number };

/** The parts of the stack that follow published bindings: bucket, rules, and both functions. */
export async function deployStack(
  { aws, kubernetes }: Pick<Sandbox, "aws" | "kubernetes">,
  now: () => number,
  queue: QueueSetting = {},
  pace: Pace = {},
): Promise<Stack> {
  aws.addBucket(BUCKET, { versioned: true });
  const clusterArn = `arn:aws:eks:${aws.region}:${aws.accountId}:cluster/${kubernetes.clusterName}`;
  const RotationFunctionArn = aws.addFunction(ROTATION_FUNCTION, (input) => relay.call(input));
  const ReconcileFunctionArn = aws.addFunction(RECONCILE_FUNCTION, async (input) => {
    return (await reconcile.sweep(input as SweepInput)).report;
  });
  aws.setRule(LABEL_UPDATED_RULE, "ENABLED", [RotationFunctionArn]);
  aws.addStack(
    "secret-relay",
    {
      BindingsBucketName: BUCKET,
      RotationFunctionName: ROTATION_FUNCTION,
      RotationFunctionArn,
      RotationLogGroupName: ROTATION_LOG_GROUP,
      ReconcileFunctionName: RECONCILE_FUNCTION,
      ReconcileFunctionArn,
      ReconcileLogGroupName: RECONCILE_LOG_GROUP,
      LabelUpdatedRuleName: LABEL_UPDATED_RULE,
    },
    { RelayName: "secret-relay", SecretNamePrefix: "prod/", ClusterArns: clusterArn },
  );
  const settings = { BINDINGS_BUCKET: BUCKET, ...queue };
  const logTo =
    (group: string) =>
    ({ code, fields }: LogLine) =>
      aws.cloudWatch.addLogLine(group, now(), JSON.stringify({ logCode: code, ...fields }));
  const relay = await deployRelay(aws, settings, now, { ...pace, onLog: logTo(ROTATION_LOG_GROUP) });
  const onLog = logTo(RECONCILE_LOG_GROUP);
  const reconcile = await deploySweep({ aws, kubernetes }, settings, now, { ...pace, onLog });
  const sweeps: StartedSweep[] = [];
  const close = aws.onEvent(async (event) => {
    const publication = publicationOf(event);
    if (publication === undefined) return;
    const followed = await reconcile.follow(publication);
    sweeps.push({ ...followed, endedAt: performance.now() });
  });
  return { relay, sweeps, reconcile, close };
}

/** BindingsPublishedRule of template.yaml: S3's version of the pointer. */
function publicationOf({ source, "detail-type": detailType, detail }: AwsEvent): string | undefined {
  const { object } = detail as { object?: { key?: unknown; "version-id"?: string } };
  const isMatched =
    source === "aws.s3" &&
    (detailType === "Object Created" || detailType === "Object Deleted") &&
    object?.key === POINTER_KEY;
  return isMatched ? object["version-id"] : undefined;
}

const BUCKET = "secret-relay-bindings";
const ROTATION_FUNCTION = "secret-relay-rotation";
const RECONCILE_FUNCTION = "secret-relay-reconcile";
const ROTATION_LOG_GROUP = `/aws/lambda/${ROTATION_FUNCTION}`;
const RECONCILE_LOG_GROUP = `/aws/lambda/${RECONCILE_FUNCTION}`;
const LABEL_UPDATED_RULE = "secret-relay-label-updated";
