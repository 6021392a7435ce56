import { deleteWithinShare } from "./delete.ts";
import { findDriftByMetadata, type NamespaceLists } from "./find-by-metadata.ts";
import { findDriftByValues } from "./find-by-values.ts";
import type { Finding } from "./finding.ts";
import type { Look, ShardRequest, Sighting } from "./look.ts";
import { makeUpRestarts } from "./make-up-restarts.ts";
import { repair } from "./repair.ts";
import type { InOrder, MadeUp, Remark, SweepReport } from "./report.ts";
import { type SweepItem, splitIntoShards } from "./shard.ts";
import { spareCluster } from "./spare-cluster.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";

/** What became of a shard. `left` is what there was no time for: somebody must take it over. */
export type ShardResult = Pick<SweepReport, "findings" | "unchecked" | "unseen" | "checked"> & {
  readonly madeUp: readonly MadeUp[];
  readonly inOrder: readonly InOrder[];
  readonly remarks: readonly Remark[];
  readonly left: readonly SweepItem[];
};

/**
 * Compares the bindings of one cluster with what is there, piece by piece, and repairs what differs. Watches the time
 * before each piece, and gives up a cluster that does not answer instead of waiting for it once a binding.
 */
export async function sweepShard(shared: SweepDependencies, request: ShardRequest): Promise<ShardResult> {
  const cluster = spareCluster(shared.connect(request.cluster));
  const deps: SweepDependencies = { ...shared, connect: () => cluster };
  const size = request.mode === "metadata" ? METADATA_PIECE : VALUES_PIECE;
  const pieces = splitIntoShards(request.items, size).map(({ items }) => items);
  const looks: Look[] = [];
  const findings: Finding[] = [];
  const deletable: Sighting[] = [];
  const lists: NamespaceLists = new Map();
  const madeUp: MadeUp[] = [];
  let left: readonly SweepItem[] = [];

  for (const [index, piece] of pieces.entries()) {
    if (request.budget.remainingMs() < HANDOVER_MS) {
      left = pieces.slice(index).flat();
      break;
    }
    forgetOthers(lists, piece);
    const look =
      request.mode === "metadata"
        ? await findDriftByMetadata(deps, cluster, request, piece, lists)
        : await findDriftByValues(deps, cluster, request, piece);
    looks.push(look);
    const { repairable, deletions, rest } = sortByRemedy(look.diagnoses, request.plan);
    deletable.push(...deletions);
    findings.push(...rest, ...(await repair(deps, request, repairable)));
    if (!request.plan) madeUp.push(...(await makeUpRestarts(deps, request, look.restartable)));
  }
  findings.push(...(await deleteWithinShare(deps, cluster, request, deletable)));

  const unchecked = looks.flatMap((look) => look.unchecked);
  return {
    findings,
    madeUp,
    inOrder: looks.flatMap((look) => look.inOrder),
    remarks: looks.flatMap((look) => look.remarks),
    unchecked,
    unseen: looks.flatMap((look) => look.unseen),
    checked: request.items.length - left.length - unchecked.length,
    left,
  };
}

/** A namespace is in pieces that follow each other; what was listed of those before is no longer needed. */
function forgetOthers(lists: NamespaceLists, piece: readonly SweepItem[]): void {
  const needed = new Set(piece.map(({ binding }) => binding.target.namespace));
  for (const namespace of lists.keys()) if (!needed.has(namespace)) lists.delete(namespace);
}

function sortByRemedy(sightings: readonly Sighting[], plan: boolean) {
  const repairable: Sighting[] = [];
  const deletions: Sighting[] = [];
  const rest: Finding[] = [];
  for (const sighting of sightings) {
    const { remedy, refusal, ...finding } = sighting.diagnosis;
    if (refusal !== undefined) rest.push({ ...finding, action: { kind: "refused", ...refusal } });
    else if (plan) {
      const would = remedy === "none" ? "nothing" : remedy;
      rest.push({ ...finding, action: { kind: "planned", would } });
    } else if (remedy === "repair") repairable.push(sighting);
    else if (remedy === "delete") deletions.push(sighting);
    else rest.push({ ...finding, action: { kind: "left" } });
  }
  return { repairable, deletions, rest };
}

/** A page of a list holds 500. */
const METADATA_PIECE = 500;

/** Their values are held in memory at once: at 64 KiB each, 6.4 MB of sources and as much of Secrets. */
const VALUES_PIECE = 100;

/** A piece takes a second or two; a throttled one with its retries may take this long. */
const HANDOVER_MS = 15_000;
