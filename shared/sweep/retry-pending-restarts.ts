import { nameOfSources } from "../bindings/name-of-sources.ts";
import { parseVersionId } from "../source/parse-version-id.ts";
import { type ClusterSweep, mapConcurrently } from "./cluster-sweep.ts";
import type { RetriedRestarts } from "./report.ts";
import type { Assessed } from "./target-row.ts";

/**
 * Retries restarts that failed, were too early, or found a paused workload, and records the version of workloads that
 * were never restarted. It costs one read per workload.
 */
export async function retryPendingRestarts(
  sweep: ClusterSweep,
  assessed: readonly Assessed[],
): Promise<RetriedRestarts[]> {
  const { budget, rules } = sweep;
  const { ownMetadata } = rules;
  const retried = await mapConcurrently(
    sweep,
    assessed,
    async ({ binding, live, verdict }): Promise<RetriedRestarts[]> => {
      if (verdict.action !== "none" || binding?.restart === undefined || live === undefined) return [];
      const versionId = parseVersionId(live.annotations[ownMetadata.annotations.versionId]);
      if (versionId === undefined) return [];
      const settled = { binding, ownMetadata, secret: live, was: { kind: "unchanged", versionId } } as const;
      const { restarts = [] } = await sweep.followUp(settled, budget);
      const notable = restarts.filter(({ outcome }) => outcome !== "already");
      return notable.length === 0
        ? []
        : [{ ...binding.target, source: nameOfSources(binding), restarts: notable }];
    },
  );
  return retried.flat();
}
