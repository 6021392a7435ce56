import { assessReaders } from "../assess/assess-readers.ts";
import { deleteWithinShare, noteOnSecret, writeTargets } from "./carry-out.ts";
import { checkPods } from "./check-pods.ts";
import { circuitBreaker, isKnownClusterFault } from "./circuit-breaker.ts";
import type { ClusterSweep, Observed } from "./cluster-sweep.ts";
import { followRestarts } from "./follow-restarts.ts";
import { type NamespaceLists, observeByMetadata, observeUnbound } from "./observe-metadata.ts";
import { observeByValues } from "./observe-values.ts";
import type { OrphansUnknown } from "./report.ts";
import { type SweepItem, splitIntoShards } from "./shard.ts";
import { type Assessed, rowOf, type TargetRow } from "./target-row.ts";

/** `left` holds the items for which the time ran out; another invocation continues with them. */
export type ShardResult = {
  readonly targets: readonly TargetRow[];
  readonly orphansUnknown: readonly OrphansUnknown[];
  readonly checked: number;
  readonly unknown: number;
  readonly left: readonly SweepItem[];
};

/**
 * Compares the bindings of one cluster with its Secrets, piece by piece, and repairs what differs. Checks the remaining
 * time before each piece. If the cluster is down, the circuit breaker fails most calls without a request.
 */
export async function sweepShard(request: Omit<ClusterSweep, "cluster">): Promise<ShardResult> {
  const { clusterKey, items, unbound = [], mode, budget } = request;
  const cluster = circuitBreaker(request.connect(clusterKey), request);
  const connect = (key: string) => (key === clusterKey ? cluster : request.connect(key));
  const sweep: ClusterSweep = { ...request, cluster, connect };
  const size = mode === "metadata" ? METADATA_PIECE : VALUES_PIECE;
  const pieces = splitIntoShards(items, size).map((piece) => piece.items);
  const sum: Sum = { targets: [], orphansUnknown: [], deletable: [], unknown: 0 };
  const lists: NamespaceLists = new Map();
  let left: readonly SweepItem[] = [];

  for (const [index, piece] of pieces.entries()) {
    if (budget.remainingMs() < HANDOVER_MS) {
      left = pieces.slice(index).flat();
      break;
    }
    await sweepPiece(sweep, { piece, lists, sum });
  }
  if (left.length === 0) await carryOut(sweep, await observeUnbound(sweep, unbound), sum);
  const { deletable, ...result } = sum;
  result.targets.push(...(await deleteWithinShare(sweep, deletable)));
  return { ...result, checked: items.length - left.length - result.unknown, left };
}

type Sum = {
  readonly targets: TargetRow[];
  readonly orphansUnknown: OrphansUnknown[];
  readonly deletable: Assessed[];
  unknown: number;
};

/** A separate function, so that the observations of one piece are freed before the next piece. */
async function sweepPiece(
  sweep: ClusterSweep,
  { piece, lists, sum }: { piece: readonly SweepItem[]; lists: NamespaceLists; sum: Sum },
): Promise<void> {
  freeOtherLists(lists, piece);
  const observed =
    sweep.mode === "metadata"
      ? await observeByMetadata(sweep, piece, lists)
      : await observeByValues(sweep, piece);
  await carryOut(sweep, observed, sum);
}

/** Does what the verdicts say, unless the sweep is a plan. */
async function carryOut(
  sweep: ClusterSweep,
  { assessed, orphansUnknown }: Observed,
  sum: Sum,
): Promise<void> {
  const { ownMetadata } = sweep.rules;
  sum.orphansUnknown.push(...orphansUnknown);
  sum.unknown += assessed.filter(isUnknown).length;
  const { writable, deletions, rest } = sortByAction(assessed);
  if (!sweep.plan) {
    sum.deletable.push(...deletions);
    sum.targets.push(...(await writeTargets(sweep, writable)));
  }
  const [followUps, pods] = await Promise.all([followRestarts(sweep, rest), checkPods(sweep, rest)]);
  for (const each of sweep.plan ? assessed : rest) {
    const readers = { ...followUps.get(each), ...pods.get(each) };
    const judged = { ...each, verdict: assessReaders(each.verdict, readers) };
    const noted = sweep.plan ? undefined : each.verdict.note && (await noteOnSecret(sweep, each));
    const { rotation: _rotation, ...notable } = readers; // a finished one alone is shown in an inventory only
    if (isShown(judged, sweep) || Object.keys(notable).length > 0 || noted?.outcome)
      sum.targets.push(rowOf(judged, ownMetadata, { ...readers, ...noted }));
  }
}

/** A target in a cluster that is listed twice is refused, but was not compared either. */
const isUnknown = ({ verdict: { action, finding, code = "" } }: Assessed): boolean =>
  action === "unknown" || (action === "refuse" && finding === null && isKnownClusterFault(code));

/** Targets in order are reported only in an inventory. */
function isShown(
  { verdict: { finding, action, details }, certificateExpiresInDays }: Assessed,
  { inventory = false }: ClusterSweep,
): boolean {
  const isInOrder = finding === null && action === "none";
  const isNotable = !isInOrder || certificateExpiresInDays !== undefined || details.collisions !== undefined;
  return inventory || isNotable;
}

/** Pieces are ordered by namespace, so the lists of earlier namespaces can be freed. */
function freeOtherLists(lists: NamespaceLists, piece: readonly SweepItem[]): void {
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

/** The page size of a list. */
const METADATA_PIECE = 500;

/** Repairs of the same sources share their reads. The values of 20 are in memory together (observe-values.ts). */
const VALUES_PIECE = 100;

/** A piece takes a second or two; a throttled one with its retries may take this long. */
const HANDOVER_MS = 15_000;
