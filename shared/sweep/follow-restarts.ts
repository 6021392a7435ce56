import type { FindingCode } from "../assess/catalogue.ts";
import { isManagedBy } from "../assess/check-owner.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import { parseVersionId } from "../source/parse-version-id.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";
import { type ClusterSweep, mapConcurrently } from "./cluster-sweep.ts";
import type { Assessed } from "./target-row.ts";

/**
 * Looks at the workloads of bindings with `restart` whose Secret is in order, or is kept without its source. Retries
 * restarts that failed, were too early, or found a paused workload, and follows the rollouts of those that were
 * restarted. A plan only looks. It costs one read per workload, and one list of Pods for a Secret with a stuck rollout
 * where the binding allows it.
 */
export async function followRestarts(
  sweep: ClusterSweep,
  assessed: readonly Assessed[],
): Promise<ReadonlyMap<Assessed, FollowUpOutcome>> {
  const { budget, rules, plan, checksAllPods = false } = sweep;
  const { ownMetadata } = rules;
  const followed = await mapConcurrently(
    sweep,
    assessed,
    async (each): Promise<[Assessed, FollowUpOutcome][]> => {
      const { binding, live } = each;
      if (binding?.restart === undefined || live === undefined || !isKept(each, ownMetadata)) return [];
      const versionId = parseVersionId(live.annotations[ownMetadata.annotations.versionId]);
      if (versionId === undefined) return [];
      const was = { kind: "unchanged", versionId } as const;
      const how = { ...(plan && { plan }), ...(checksAllPods && { listsPods: checksAllPods }) };
      const settled = { binding, ownMetadata, secret: live, was, ...how };
      const { restarts = [], rotation, ...followUp } = await sweep.followUp(settled, budget);
      const notable = restarts.filter(
        ({ outcome, rollout }) => outcome !== "already" || rollout !== undefined,
      );
      if (notable.length === 0) return rotation === undefined ? [] : [[each, { rotation }]];
      return [[each, { ...followUp, ...(rotation && { rotation }), restarts: notable }]];
    },
  );
  return new Map(followed.flat());
}

/** Its pods may not run with its last value yet, also if there will be no further one. */
function isKept({ live, verdict: { action, finding } }: Assessed, ownMetadata: RelayMetadata): boolean {
  if (action === "none") return true;
  const hasNoSource = finding !== null && WITHOUT_SOURCE.has(finding);
  return hasNoSource && action === "refuse" && live !== undefined && isManagedBy(live, ownMetadata);
}

const WITHOUT_SOURCE: ReadonlySet<FindingCode> = new Set([
  "SOURCE_MISSING",
  "SOURCE_WITHOUT_VALUE",
  "SOURCE_SCHEDULED_FOR_DELETION",
  "VERSION_MISSING",
]);
