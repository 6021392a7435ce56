import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import { sightBindings } from "../live/sight.ts";
import { findLastErrors } from "./find-last-errors.ts";
import { type BindingStatus, statusOf, worstFirst } from "./status-of.ts";

/** Each of these bindings as it is now, the worst first. No value is read, of a source or of a Secret. */
export async function gatherStatus(
  live: Live,
  groups: readonly SourceBindings[],
  budget: TimeBudget,
): Promise<BindingStatus[]> {
  const tellers = groups.flatMap(({ bindings }) => bindings.filter(({ events }) => events === true));
  const [sights, lastErrors] = await Promise.all([
    sightBindings(live, groups, budget),
    findLastErrors(
      live,
      tellers.map(({ target }) => target),
      budget,
    ),
  ]);
  return sights
    .map((sight) => {
      const status = statusOf(sight, live.now());
      const lastError = lastErrors.get(nameOfTarget(status.target));
      return lastError === undefined ? status : { ...status, lastError };
    })
    .sort(worstFirst);
}
