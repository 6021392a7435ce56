import { deleteWithinShare, noteOnSecret, writeTargets } from "./carry-out.ts";
import { isKnownClusterFault } from "./cluster-fault.ts";
import { type NamespaceLists, observeByMetadata } from "./observe-metadata.ts";
import { observeByValues } from "./observe-values.ts";
import type { OrphansUnknown, RetriedRestarts } from "./report.ts";
import { retryPendingRestarts } from "./retry-pending-restarts.ts";
import { type SweepItem, splitIntoShards } from "./shard.ts";
import type { ShardRequest } from "./shard-request.ts";
import { spareCluster } from "./spare-cluster.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import { type Assessed, rowOf, type TargetRow } from "./target-row.ts";

/** What became of a shard. `left` is what there was no time for: another invocation must take it over. */
export type ShardResult = {
  readonly targets: readonly TargetRow[];
  readonly orphansUnknown: readonly OrphansUnknown[];
  readonly retriedRestarts: readonly RetriedRestarts[];
  readonly checked: number;
  readonly unknown: number;
  readonly left: readonly SweepItem[];
};

/**
 * Compares the bindings of one cluster with what is there, piece by piece, and repairs what differs. Watches the time
 * before each piece, and gives up a cluster that does not answer instead of waiting for it once a binding.
 */
export async function sweepShard(shared: SweepDependencies, request: ShardRequest): Promise<ShardResult> {
  const cluster = spareCluster(shared.connect(request.cluster));
  const connect: SweepDependencies["connect"] = (key) =>
    key === request.cluster ? cluster : shared.connect(key);
  const deps: SweepDependencies = { ...shared, connect };
  const size = request.mode === "metadata" ? METADATA_PIECE : VALUES_PIECE;
  const pieces = splitIntoShards(request.items, size).map(({ items }) => items);
  const targets: TargetRow[] = [];
  const orphansUnknown: OrphansUnknown[] = [];
  const retriedRestarts: RetriedRestarts[] = [];
  const deletable: Assessed[] = [];
  const lists: NamespaceLists = new Map();
  let unknown = 0;
  let left: readonly SweepItem[] = [];

  for (const [index, piece] of pieces.entries()) {
    if (request.budget.remainingMs() < HANDOVER_MS) {
      left = pieces.slice(index).flat();
      break;
    }
    forgetOthers(lists, piece);
    const observed =
      request.mode === "metadata"
        ? await observeByMetadata(deps, cluster, request, piece, lists)
        : await observeByValues(deps, cluster, request, piece);
    orphansUnknown.push(...observed.orphansUnknown);
    unknown += observed.assessed.filter(isUnknown).length;
    if (request.plan) {
      targets.push(...rowsOf(observed.assessed, request));
      continue;
    }
    const { writable, deletions, rest } = sortByAction(observed.assessed);
    deletable.push(...deletions);
    targets.push(...(await writeTargets(deps, request, writable)));
    for (const assessed of rest) {
      const { note } = assessed.verdict;
      const noted = note && (await noteOnSecret(deps, cluster, request, assessed));
      targets.push(...rowsOf([assessed], request, noted));
    }
    const restartable = rest.filter(({ binding }) => binding?.restart !== undefined);
    retriedRestarts.push(...(await retryPendingRestarts(deps, request, restartable)));
  }
  targets.push(...(await deleteWithinShare(deps, cluster, request, deletable)));
  return {
    targets,
    orphansUnknown,
    retriedRestarts,
    checked: request.items.length - left.length - unknown,
    unknown,
    left,
  };
}

/** Refused because its cluster is listed twice: that target was not compared either. */
const isUnknown = ({ verdict: { action, finding, code = "" } }: Assessed): boolean =>
  action === "unknown" || (action === "refuse" && finding === null && isKnownClusterFault(code));

/** What is simply in order is reported only where an inventory is asked for. */
function rowsOf(
  assessed: readonly Assessed[],
  { inventory = false, rules: { marks } }: ShardRequest,
  done: Parameters<typeof rowOf>[2] = {},
): TargetRow[] {
  return assessed.flatMap((each) =>
    inventory || isNotable(each) || done.outcome ? [rowOf(each, marks, done)] : [],
  );
}

function isNotable({ verdict: { finding, action, details }, certificateExpiresInDays }: Assessed): boolean {
  const isInOrder = finding === null && action === "none";
  return !isInOrder || certificateExpiresInDays !== undefined || details.collisions !== undefined;
}

/** A namespace is in pieces that follow each other; what was listed of those before is no longer needed. */
function forgetOthers(lists: NamespaceLists, piece: readonly SweepItem[]): void {
  const needed = new Set(piece.map(({ binding }) => binding.target.namespace));
  for (const namespace of lists.keys()) if (!needed.has(namespace)) lists.delete(namespace);
}

function sortByAction(assessed: readonly Assessed[]) {
  const writable: Assessed[] = [];
  const deletions: Assessed[] = [];
  const rest: Assessed[] = [];
  for (const each of assessed) {
    const { action } = each.verdict;
    if (action === "create" || action === "update" || action === "replace") writable.push(each);
    else if (action === "delete") deletions.push(each);
    else rest.push(each);
  }
  return { writable, deletions, rest };
}

/** A page of a list holds 500. */
const METADATA_PIECE = 500;

/** Their values are held in memory at once: at 64 KiB each, 6.4 MB of sources and as much of Secrets. */
const VALUES_PIECE = 100;

/** A piece takes a second or two; a throttled one with its retries may take this long. */
const HANDOVER_MS = 15_000;
