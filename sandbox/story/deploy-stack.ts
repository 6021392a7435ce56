import { POINTER_KEY } from "../../shared/bindings/published/pointer.ts";
import type { AwsEvent } from "../aws/start-aws-sandbox.ts";
import type { Sandbox } from "../start-sandbox.ts";
import { type DeployedRelay, deployRelay, type QueueSetting } from "./deploy-relay.ts";
import { type DeployedSweep, deploySweep, type Followed } from "./deploy-sweep.ts";

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
): Promise<Stack> {
  aws.addBucket(BUCKET, { versioned: true });
  const clusterArn = `arn:aws:eks:${aws.region}:${aws.accountId}:cluster/${kubernetes.clusterName}`;
  aws.addStack(
    "secret-relay",
    { BindingsBucketName: BUCKET },
    { RelayName: "secret-relay", SecretNamePrefix: "prod/", ClusterArns: clusterArn },
  );
  const settings = { BINDINGS_BUCKET: BUCKET, ...queue };
  const relay = await deployRelay(aws, settings, now);
  const reconcile = await deploySweep({ aws, kubernetes }, settings, now);
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
