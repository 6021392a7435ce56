import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { isComplete, type SweepReport } from "../../shared/sweep/report.ts";
import type { RowOutcome, TargetRow } from "../../shared/sweep/target-row.ts";
import { explainRows } from "../targets/explain-row.ts";
import { isInOrder, isNotable, stateOf } from "../targets/rows.ts";
import { table } from "../terminal/table.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";

/** The findings and actions as a table, explanations of open problems, and the totals. */
export function printSweep(
  terminal: Pick<Terminal, "paint" | "width">,
  report: SweepReport,
  { showsAll, now }: { readonly showsAll: boolean; readonly now: number },
): string {
  const { targets, bindings, checked, calls, shardsQueued, plan } = report;
  const shown = targets.filter((row) => showsAll || isNotable(row) || row.outcome !== undefined);
  const cells = shown.map((row) => [
    nameOfTarget(row),
    stateOf(row),
    terminal.paint(styleOf(row), wordOf(row)),
    row.source,
  ]);
  const headings = ["SECRET", "FOUND", plan ? "WOULD" : "DONE", "SOURCE"];
  const grid = cells.length > 0 ? [table(terminal, headings, cells)] : [];
  const explanations = explainRows(
    shown.filter((row) => !isDone(row) || row.finding === "TAMPERED" || row.finding === "TAKEN_OVER"),
    now,
  );
  const findings = targets.filter(({ finding }) => finding !== null).length;
  const queued = shardsQueued > 0 ? `; ${shardsQueued} shard(s) sent to the queue of the stack` : "";
  const requests = `${calls.aws} calls to AWS, ${calls.kubernetes} to clusters`;
  return [
    ...grid,
    ...explanations.map((text) => `\n${text}`),
    ...(cells.length > 0 ? [""] : []),
    `${checked} of ${bindings} bound Secrets compared by ${report.mode}, ${findings} finding(s)${queued}. ${requests}.`,
  ].join("\n");
}

/** Everything was compared, and no work is left for an operator or a later sweep. */
export function isFine(report: SweepReport): boolean {
  return (isComplete(report) || report.shardsQueued > 0) && report.targets.every(isDone);
}

const isDone = (row: TargetRow): boolean =>
  row.outcome === undefined ? isInOrder(row) : DONE.has(row.outcome);

const DONE: ReadonlySet<RowOutcome> = new Set(["written", "unchanged", "deleted"]);

const wordOf = ({ outcome, action }: TargetRow): string => outcome ?? action;

function styleOf(row: TargetRow): Style {
  const word = wordOf(row);
  if (word === "refused" || word === "refuse" || word === "failed" || word === "held-back") return "red";
  return isDone(row) ? "green" : "yellow";
}
