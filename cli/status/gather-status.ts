import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { Session } from "../live/open-session.ts";
import { assessTargets, type TargetFilter } from "../targets/assess-targets.ts";
import { worstFirst } from "../targets/rows.ts";
import { findLastErrors, type LastError } from "./find-last-errors.ts";

export type StatusRow = TargetRow & { readonly lastError?: LastError };

export type Status = Pick<SweepReport, "orphansUnknown"> & { readonly targets: readonly StatusRow[] };

/** The current state of each Secret, the worst first. It reads no value of a source or a Secret. */
export async function gatherStatus(
  session: Session,
  groups: readonly SourceBindings[],
  filter: TargetFilter,
  budget: TimeBudget,
): Promise<Status> {
  const withEvents = groups.flatMap(({ bindings }) => bindings.filter(({ events }) => events === true));
  const [{ targets, orphansUnknown }, lastErrors] = await Promise.all([
    assessTargets(session, filter, budget),
    findLastErrors(
      session,
      withEvents.map(({ target }) => target),
      budget,
    ),
  ]);
  const rows = targets.map((row): StatusRow => {
    const lastError = lastErrors.get(nameOfTarget(row));
    return lastError === undefined ? row : { ...row, lastError };
  });
  return { targets: rows.toSorted(worstFirst), orphansUnknown };
}
