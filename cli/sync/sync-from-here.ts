import pMap from "p-map";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import { syncSource } from "../../shared/sync/sync-source.ts";
import type { Session } from "../live/open-session.ts";
import { assessTargets } from "../targets/assess-targets.ts";
import type { ReportProgress } from "../terminal/progress.ts";
import { type SyncRow, syncRow } from "./sync-result.ts";

/** Syncs as the functions do, and observes each target before and after. */
export async function syncFromHere(
  session: Session,
  groups: readonly SourceBindings[],
  { budget, reportProgress }: { budget: TimeBudget; reportProgress: ReportProgress },
): Promise<SyncRow[]> {
  const { ownMetadata } = session.index;
  const before = await assessRows(session, groups, budget);
  const outcomes = new Map<string, SyncOutcome>();
  await pMap(
    groups,
    async ({ bindings }) => {
      for (const outcome of await syncSource(session, { ownMetadata, bindings, budget })) {
        outcomes.set(nameOfTarget(outcome.target), outcome);
      }
      reportProgress(`${outcomes.size} of ${before.size} Secrets`);
    },
    { concurrency: session.targetsAtOnce },
  );
  const after = await assessRows(session, groups, budget);
  return groups
    .flatMap(({ bindings }) => bindings)
    .map((binding): SyncRow => {
      const key = nameOfTarget(binding.target);
      const [outcome, was, is] = [outcomes.get(key), before.get(key), after.get(key)];
      if (outcome === undefined || was === undefined || is === undefined)
        throw new TypeError("A target of the sync has no outcome");
      return syncRow(binding, outcome, { before: was, after: is, ownMetadata });
    });
}

/** The rows of these bindings, by the names of their targets. */
export async function assessRows(session: Session, groups: readonly SourceBindings[], budget: TimeBudget) {
  const { targets } = await assessTargets(session, { groups }, budget);
  return new Map(targets.map((row) => [nameOfTarget(row), row]));
}
