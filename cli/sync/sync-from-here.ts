import pMap from "p-map";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfSources } from "../../shared/bindings/name-of-sources.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import { syncSource } from "../../shared/sync/sync-source.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import { sightBindings } from "../live/sight.ts";
import type { Tell } from "../terminal/progress.ts";
import { heldBy, type SyncResult, staleness } from "./sync-result.ts";

/** Syncs through the fence as the functions do, and looks at each target before and after. */
export async function syncFromHere(
  live: Live,
  groups: readonly SourceBindings[],
  { budget, tell }: { budget: TimeBudget; tell: Tell },
): Promise<SyncResult[]> {
  const before = await sightBindings(live, groups, budget);
  const total = before.length;
  const outcomes = new Map<string, SyncOutcome>();
  await pMap(
    groups,
    async ({ bindings }) => {
      for (const outcome of await syncSource(live, { bindings, budget })) {
        outcomes.set(nameOfTarget(outcome.target), outcome);
      }
      tell(`${outcomes.size} of ${total} Secrets`);
    },
    { concurrency: live.targetsAtOnce },
  );
  const after = new Map(
    (await sightBindings(live, groups, budget)).map((sight) => [nameOfTarget(sight.binding.target), sight]),
  );
  return before.map(({ binding, target }): SyncResult => {
    const key = nameOfTarget(binding.target);
    const [outcome, seen] = [outcomes.get(key), after.get(key)];
    if (outcome === undefined || seen === undefined)
      throw new TypeError("A target of the sync has no outcome");
    const held = heldBy(seen.target);
    const reported = "versionId" in outcome ? outcome.versionId : undefined;
    return {
      target: binding.target,
      source: nameOfSources(binding),
      outcome: outcome.kind,
      before: heldBy(target),
      after: held,
      ...staleness(seen.source, held, reported),
      ...("code" in outcome && { code: outcome.code, advice: outcome.advice }),
      ...(outcome.restarts && { restarts: outcome.restarts }),
    };
  });
}
