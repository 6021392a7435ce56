import { listObjects } from "../cluster/list-objects.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { type OutdatedPod, outdatedPod, type PodsCheck } from "../workloads/outdated-pods.ts";
import { parsePendingRestart } from "../workloads/pending-restart.ts";
import type { RawObject } from "../workloads/workload.ts";
import { type ClusterSweep, mapConcurrently } from "./cluster-sweep.ts";
import type { Assessed } from "./target-row.ts";

/**
 * Finds Pods that still run with an older value, for bindings with `checkPods` whose Secret is in order. It costs one
 * list of the Pods of each namespace.
 */
export async function checkPods(
  sweep: ClusterSweep,
  assessed: readonly Assessed[],
): Promise<ReadonlyMap<Assessed, PodsCheck>> {
  const checkable = assessed.flatMap((each): Checkable[] => {
    const changedAt = changedAtOf(sweep, each);
    return changedAt === undefined ? [] : [{ each, changedAt }];
  });
  const namespaces = Map.groupBy(checkable, ({ each }) => each.verdict.target.namespace);
  const checked = await mapConcurrently(sweep, namespaces, ([namespace, targets]) =>
    checkNamespace(sweep, namespace, targets),
  );
  return new Map(checked.flat());
}

type Checkable = { readonly each: Assessed; readonly changedAt: number };

/** Undefined for a target that is not to be checked, or whose data did not change since the relay notes it. */
function changedAtOf(
  { rules, checksAllPods = false }: ClusterSweep,
  { binding, live, verdict }: Assessed,
): number | undefined {
  const isWanted = binding !== undefined && (binding.checkPods === true || checksAllPods);
  if (!isWanted || verdict.action !== "none") return undefined;
  return parsePendingRestart(live?.annotations[rules.ownMetadata.annotations.readersDue])?.changedAt;
}

async function checkNamespace(
  { cluster, clusterKey, budget }: ClusterSweep,
  namespace: string,
  targets: readonly Checkable[],
): Promise<[Assessed, PodsCheck][]> {
  const found = new Map(targets.map(({ each }) => [each, [] as OutdatedPod[]]));
  const select = (pod: unknown): true | undefined => {
    for (const { each, changedAt } of targets) {
      const outdated = outdatedPod(pod as RawObject, each.verdict.target.name, changedAt);
      if (outdated !== undefined) found.get(each)?.push(outdated);
    }
    return undefined; // nothing of a Pod is kept but that
  };
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  try {
    await listObjects(cluster, { clusterKey, path, limit: PODS_PER_PAGE, keptMax: 0, select }, budget);
  } catch (error) {
    const { code } = error instanceof RelayError ? error : UnexpectedFault.from(error);
    return targets.map(({ each }) => [each, { podsUnknown: code }]);
  }
  return [...found].flatMap(([each, pods]): [Assessed, PodsCheck][] =>
    pods.length === 0
      ? []
      : [[each, { outdatedPods: pods.slice(0, SHOWN_MAX), outdatedPodCount: pods.length }]],
  );
}

/** A Pod with its managedFields is 5 to 20 kB. */
const PODS_PER_PAGE = 200;

/** A report of 10,000 bindings must stay readable, and fit into the response of a function. */
const SHOWN_MAX = 20;
