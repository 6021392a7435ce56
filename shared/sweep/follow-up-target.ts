import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { parseVersionId } from "../source/parse-version-id.ts";
import type { FollowUp } from "../workloads/follow-up.ts";
import type { FollowUpMessage } from "../workloads/follow-up-message.ts";
import { findBinding, type Sweeper } from "./run-sweep.ts";

type Dependencies = Pick<Sweeper, "index" | "budget"> & {
  readonly connect: (clusterKey: string) => Pick<ClusterConnection, "readMetadata">;
  readonly followUp: FollowUp;
};

/**
 * Looks again at the workloads that read a Secret, as the message asks. Does nothing if meanwhile the Secret is gone or
 * no binding restarts its readers.
 */
export async function followUpTarget(
  { index, connect, followUp, budget }: Dependencies,
  following: FollowUpMessage,
): Promise<void> {
  const { target } = following;
  const binding = findBinding(index, target);
  if (binding?.restart === undefined) return;
  const secret = await connect(target.cluster).readMetadata(target, budget);
  const { ownMetadata } = index;
  const versionId = parseVersionId(secret?.annotations[ownMetadata.annotations.versionId]);
  if (secret === undefined || versionId === undefined) return;
  await followUp({ binding, ownMetadata, secret, was: { kind: "unchanged", versionId }, following }, budget);
}
