import pMap from "p-map";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import { syncSource } from "../../shared/sync/sync-source.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import { assessTargets } from "../targets/assess-targets.ts";
import { nameOfRow } from "../targets/rows.ts";
import type { Tell } from "../terminal/progress.ts";
import { type SyncRow, syncRow } from "./sync-result.ts";

/** Syncs through the fence as the functions do, and observes each target before and after. */
export async function syncFromHere(
  live: Live,
  groups: readonly SourceBindings[],
  { budget, tell }: { budget: TimeBudget; tell: Tell },
): Promise<SyncRow[]> {
  const { marks } = live.index;
  const before = await assessRows(live, groups, budget);
  const outcomes = new Map<string, SyncOutcome>();
  await pMap(
    groups,
    async ({ bindings }) => {
      for (const outcome of await syncSource(live, { marks, bindings, budget })) {
        outcomes.set(nameOfTarget(outcome.target), outcome);
      }
      tell(`${outcomes.size} of ${before.size} Secrets`);
    },
    { concurrency: live.targetsAtOnce },
  );
  const after = await assessRows(live, groups, budget);
  return groups
    .flatMap(({ bindings }) => bindings)
    .map((binding): SyncRow => {
      const key = nameOfTarget(binding.target);
      const [outcome, was, is] = [outcomes.get(key), before.get(key), after.get(key)];
      if (outcome === undefined || was === undefined || is === undefined)
        throw new TypeError("A target of the sync has no outcome");
      return syncRow(binding, outcome, { before: was, after: is, marks });
    });
}

/** The rows of these bindings, by the names of their targets. */
export async function assessRows(live: Live, groups: readonly SourceBindings[], budget: TimeBudget) {
  const { targets } = await assessTargets(live, { groups }, budget);
  return new Map(targets.map((row) => [nameOfRow(row), row]));
}
