import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { LiveMetadata, ObjectVersion } from "../cluster/live-secret.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";

/** Annotates a Secret with the time since its source or binding is gone; null removes the annotation. */
export async function noteGone(
  cluster: Pick<ClusterConnection, "patchMetadata">,
  { namespace, name, uid, resourceVersion }: Pick<LiveMetadata, "namespace" | "name"> & ObjectVersion,
  goneSince: number | null,
  { ownMetadata, budget }: { readonly ownMetadata: RelayMetadata; readonly budget: TimeBudget },
): Promise<void> {
  const { annotations, fieldManager } = ownMetadata;
  const text = goneSince === null ? null : new Date(goneSince).toISOString();
  const metadata = { annotations: { [annotations.goneSince]: text } };
  await cluster.patchMetadata({ namespace, name, uid, resourceVersion }, { metadata, fieldManager }, budget);
}
