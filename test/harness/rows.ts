import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";

/** The rows of a report that name something wrong. */
export function findingsIn({ targets }: Pick<SweepReport, "targets">): readonly TargetRow[] {
  return targets.filter(({ finding, action }) => finding !== null && action !== "unknown");
}

/** The rows with the state unknown. */
export function unknownIn({ targets }: Pick<SweepReport, "targets">): readonly TargetRow[] {
  return targets.filter(({ action }) => action === "unknown");
}

/** What was done, or what the verdict says where nothing was tried. */
export function becameOf({ outcome, action }: TargetRow): string {
  return outcome ?? action;
}
