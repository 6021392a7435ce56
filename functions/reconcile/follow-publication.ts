import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { BindingsDeleted, RulesSuperseded } from "../../shared/bindings/published/errors.ts";
import { type Changes, readChanges } from "../../shared/bindings/published/read-changes.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { measureProgress, reportSweep } from "../../shared/sweep/report-sweep.ts";
import { runSweep } from "../../shared/sweep/run-sweep.ts";
import type { OpenReconcile, ReconcileDependencies } from "./dependencies.ts";
import { openSweeper } from "./open-sweeper.ts";

/** First the report on what the publication changed, then that of the sweep of all bindings. */
export type PublicationReport = { readonly reports: readonly SweepReport[] };

/**
 * Handles what a publication changed, and then sweeps all bindings. With 50,000 bindings, a new Secret would otherwise
 * wait for a list of all sources, and for its turn in the queue.
 *
 * Changes that exceed a shard are not handled first in this invocation: their shards are first in the queue.
 *
 * Starts again if newer bindings are published meanwhile. The changes are then those since the same generation, because
 * the event of the newer publication covers only its own.
 *
 * The event of a deleted pointer arrives here too: it fails unless there is a pointer again.
 */
export async function followPublication(
  open: OpenReconcile,
  publication: string | undefined,
  self: AwsLocation,
  budget: TimeBudget,
): Promise<PublicationReport> {
  const reports: SweepReport[] = [];
  for (let generations = 1; ; generations += 1) {
    try {
      const deps = await open(budget);
      if (deps.rules.generation === 0) throw new BindingsDeleted(); // this event is of a pointer, and there is none
      const changes = await findChanges(deps, publication, self, budget);
      const { shardBindingsMax } = deps.settings;
      const isSmall = changes !== undefined && changes.index.bindings.length <= shardBindingsMax;
      if (isSmall) {
        const { since, index, removed } = changes;
        // Lists of namespaces find more of them faster.
        const unbound = removed.length <= shardBindingsMax ? removed : [];
        const sweeper = await openSweeper(deps, self, budget, index);
        const report = await runSweep(sweeper, { mode: "metadata", plan: false, since, unbound });
        reports.push(tell(deps, report));
        if ((await deps.checkRules(budget)) === "superseded") throw new RulesSuperseded();
      }
      const changed = new Set(
        isSmall ? [] : changes?.index.bindings.map(({ target }) => nameOfTarget(target)),
      );
      const report = await runSweep(await openSweeper(deps, self, budget), {
        ...{ mode: "metadata", plan: false },
        isFirst: ({ target }) => changed.has(nameOfTarget(target)),
      });
      return { reports: [...reports, tell(deps, report)] };
    } catch (error) {
      if (!(error instanceof RulesSuperseded) || generations === GENERATIONS_MAX) throw error;
    }
  }
}

/** Publications within one invocation. */
const GENERATIONS_MAX = 5;

/** Undefined if the changes are unknown for good. Throws if a retry may learn them. */
async function findChanges(
  { rules, log }: ReconcileDependencies,
  publication: string | undefined,
  self: AwsLocation,
  budget: TimeBudget,
): Promise<Changes | undefined> {
  if (rules.store === undefined || publication === undefined) return undefined;
  try {
    const changes = await readChanges(rules.store, publication, self, budget);
    if (changes === undefined) log("CHANGES_UNKNOWN", {});
    return changes;
  } catch (error) {
    if (!(error instanceof RelayError) || error.retryable) throw error;
    log("CHANGES_UNKNOWN", { code: error.code, advice: error.message });
    return undefined;
  }
}

function tell({ log, measure }: ReconcileDependencies, report: SweepReport): SweepReport {
  reportSweep(log, measure, report);
  measureProgress(measure, report, false);
  return report;
}
