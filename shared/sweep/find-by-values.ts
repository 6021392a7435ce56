import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import { atOnce } from "./at-once.ts";
import { compareValues } from "./compare-values.ts";
import { isHeldInOrder, uncheckedBy } from "./find-by-metadata.ts";
import type { Look, Restartable, ShardRequest, Sighting } from "./look.ts";
import { restartableOf } from "./make-up-restarts.ts";
import type { InOrder, Remark, Unchecked } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import { inOrderOf } from "./take-inventory.ts";

/** Looks at one piece of a shard by comparing values: it also finds what forged metadata hides. */
export async function findDriftByValues(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  piece: readonly SweepItem[],
): Promise<Look> {
  // The live Secrets first, then the sources, as in the fence: a rotation in between makes drift, never hides it.
  const lives = await atOnce(deps, piece, async (item) => {
    try {
      return { item, live: await cluster.readSecret(item.binding.target, request.budget) };
    } catch (error) {
      return { item, unchecked: uncheckedBy(item.binding, error) };
    }
  });
  const readable = lives.flatMap((entry) => ("unchecked" in entry ? [] : entry.item.binding.sources));
  const sources = [...new Map(readable.map((source) => [keyOfSource(source), source])).values()];
  const reads = await deps.readMany(sources, request.budget);
  const restartable: Restartable[] = [];
  const inOrder: InOrder[] = [];
  const remarks: Remark[] = [];
  const seen = await atOnce(deps, lives, async (entry): Promise<Sighting | Unchecked | undefined> => {
    if ("unchecked" in entry) return entry.unchecked;
    const { item, live } = entry;
    try {
      const { sighting, remark } = await compareValues(deps, request, { item, live, reads });
      if (remark !== undefined) remarks.push(remark);
      if (sighting === undefined || isHeldInOrder(sighting)) restartable.push(...restartableOf(item, live));
      if (sighting === undefined && request.inventory) inOrder.push(inOrderOf(item.binding, live));
      return sighting;
    } catch (error) {
      return uncheckedBy(item.binding, error);
    }
  });
  return {
    diagnoses: seen.filter((each) => each !== undefined && "diagnosis" in each),
    unchecked: seen.filter((each) => each !== undefined && "advice" in each),
    unseen: [],
    restartable,
    inOrder,
    remarks,
  };
}
