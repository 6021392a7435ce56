import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import { assessTargets, type WhichTargets } from "../targets/assess-targets.ts";
import { nameOfRow, worstFirst } from "../targets/rows.ts";
import { findLastErrors, type LastError } from "./find-last-errors.ts";

export type StatusRow = TargetRow & { readonly lastError?: LastError };

export type Status = Pick<SweepReport, "orphansUnknown"> & { readonly targets: readonly StatusRow[] };

/** Each Secret as it is now, the worst first. No value is read, of a source or of a Secret. */
export async function gatherStatus(
  live: Live,
  groups: readonly SourceBindings[],
  which: WhichTargets,
  budget: TimeBudget,
): Promise<Status> {
  const withEvents = groups.flatMap(({ bindings }) => bindings.filter(({ events }) => events === true));
  const [{ targets, orphansUnknown }, lastErrors] = await Promise.all([
    assessTargets(live, which, budget),
    findLastErrors(
      live,
      withEvents.map(({ target }) => target),
      budget,
    ),
  ]);
  const rows = targets.map((row): StatusRow => {
    const lastError = lastErrors.get(nameOfRow(row));
    return lastError === undefined ? row : { ...row, lastError };
  });
  return { targets: rows.toSorted(worstFirst), orphansUnknown };
}
