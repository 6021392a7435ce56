import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { ANNOTATIONS } from "../render/ownership-marks.ts";
import { parseVersionId } from "../secret-id/parse-version-id.ts";
import { atOnce } from "./at-once.ts";
import type { Restartable, ShardRequest } from "./look.ts";
import type { MadeUp } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";

/** Whether a Secret that is in order may have readers which are not. */
export function restartableOf({ binding }: SweepItem, live: LiveMetadata | undefined): Restartable[] {
  return live !== undefined && binding.restart !== undefined ? [{ binding, live }] : [];
}

/**
 * Makes the restarts that failed, were too soon, or found a paused workload, and records the version of workloads that
 * were never restarted. It costs one read a workload.
 */
export async function makeUpRestarts(
  deps: SweepDependencies,
  request: ShardRequest,
  restartable: readonly Restartable[],
): Promise<MadeUp[]> {
  const made = await atOnce(deps, restartable, async ({ binding, live }): Promise<MadeUp[]> => {
    const versionId = parseVersionId(live.annotations[ANNOTATIONS.versionId]);
    if (versionId === undefined) return [];
    const settled = { binding, secret: live, was: { kind: "unchanged", versionId } } as const;
    const { restarts = [] } = await deps.followUp(settled, request.budget);
    const notable = restarts.filter(({ outcome }) => outcome !== "already");
    return notable.length === 0
      ? []
      : [{ target: binding.target, source: nameOfSources(binding), restarts: notable }];
  });
  return made.flat();
}
