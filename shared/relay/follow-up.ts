import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { type FollowUpDependencies, followUpWith, type Settled } from "../workloads/follow-up.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";
import { reportFollowUp } from "../workloads/report-follow-up.ts";

/** Runs the follow-up actions of a binding and reports them. A separate file, because it is loaded lazily. */
export async function followUp(
  deps: FollowUpDependencies & { readonly log: Log; readonly measure: Measure },
  settled: Settled,
  budget: TimeBudget,
): Promise<FollowUpOutcome> {
  const outcome = await followUpWith(deps)(settled, budget);
  const { target } = settled.binding;
  reportFollowUp(deps.log, deps.measure, { target, source: nameOfSources(settled.binding) }, outcome);
  return outcome;
}
