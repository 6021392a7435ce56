import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { Log } from "../observability/log.ts";
import type { Measure } from "../observability/measure.ts";
import { reportFollowUp } from "../observability/report-follow-up.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { type FollowUpDependencies, followUpWith, type Settled } from "../workloads/follow-up.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";

/** Does for the readers of a target what its binding wants, and tells it. A file of its own, since it is loaded late. */
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
