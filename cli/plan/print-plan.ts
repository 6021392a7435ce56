import type { ActionKind } from "../../shared/assess/verdict.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { explanationLines } from "../targets/explain-row.ts";
import { groupByCause, nameOfGroup } from "../targets/group-by-cause.ts";
import { isNotable } from "../targets/rows.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";

/** A line for each Secret, with the explanation below it. */
export function printPlan(
  { paint }: Pick<Terminal, "paint">,
  rows: readonly TargetRow[],
  { showsAll, now }: { readonly showsAll: boolean; readonly now: number },
): string {
  const shown = rows.filter((row) => showsAll || isNotable(row));
  // A dead cluster makes all of its Secrets unknown, for one reason.
  const causeOf = (row: TargetRow) =>
    row.action === "unknown" ? explanationLines(row, now).join("\n") : nameOfTarget(row);
  const blocks = groupByCause(shown, causeOf).flatMap((group) => {
    const [row] = group;
    if (row === undefined) return [];
    const { sign, style } = STYLES[row.action];
    const reason = row.finding ?? row.code;
    const head = `${sign} ${nameOfGroup(group)}  ${row.action}${reason === undefined ? "" : `  ${reason}`}`;
    const source = group.length === 1 ? `  ${paint("dim", `from ${row.source}`)}` : "";
    const lines = explanationLines(row, now).map((line) => paint("dim", `    ${line}`));
    return [[`${paint(style, head)}${source}`, ...lines].join("\n")];
  });
  return [...blocks, ...(blocks.length > 0 ? [""] : []), summaryOf(rows)].join("\n");
}

const STYLES: Readonly<Record<ActionKind, { sign: string; style: Style }>> = {
  create: { sign: "+", style: "green" },
  update: { sign: "~", style: "yellow" },
  replace: { sign: "±", style: "yellow" },
  delete: { sign: "-", style: "red" },
  none: { sign: "=", style: "dim" },
  refuse: { sign: "!", style: "red" },
  unknown: { sign: "?", style: "magenta" },
};

/** How many Secrets have each action. */
export function countActions(rows: readonly TargetRow[]): Readonly<Record<ActionKind, number>> {
  const counts = { create: 0, update: 0, replace: 0, delete: 0, none: 0, refuse: 0, unknown: 0 };
  for (const { action } of rows) counts[action] += 1;
  return counts;
}

function summaryOf(rows: readonly TargetRow[]): string {
  const counts = countActions(rows);
  const replaced = counts.replace > 0 ? `, ${counts.replace} to replace` : "";
  return `Plan: ${counts.create} to create, ${counts.update} to update${replaced}, ${counts.delete} to delete; ${counts.none} unchanged, ${counts.refuse} refused, ${counts.unknown} unknown.`;
}
