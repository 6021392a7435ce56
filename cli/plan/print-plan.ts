import type { ActionKind } from "../../shared/assess/verdict.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { explanationLines } from "../targets/explain-row.ts";
import { isNotable, nameOfRow } from "../targets/rows.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";

/** A line for each Secret, and below it what was found and what to do. */
export function printPlan(
  { paint }: Pick<Terminal, "paint">,
  rows: readonly TargetRow[],
  { showsAll, now }: { readonly showsAll: boolean; readonly now: number },
): string {
  const blocks = rows
    .filter((row) => showsAll || isNotable(row))
    .map((row) => {
      const { mark, style } = LOOKS[row.action];
      const because = row.finding ?? row.code;
      const head = `${mark} ${nameOfRow(row)}  ${row.action}${because === undefined ? "" : `  ${because}`}`;
      return [
        `${paint(style, head)}  ${paint("dim", `from ${row.source}`)}`,
        ...explanationLines(row, now).map((line) => paint("dim", `    ${line}`)),
      ].join("\n");
    });
  return [...blocks, ...(blocks.length > 0 ? [""] : []), summaryOf(rows)].join("\n");
}

const LOOKS: Readonly<Record<ActionKind, { mark: string; style: Style }>> = {
  create: { mark: "+", style: "green" },
  update: { mark: "~", style: "yellow" },
  replace: { mark: "±", style: "yellow" },
  delete: { mark: "-", style: "red" },
  none: { mark: "=", style: "dim" },
  refuse: { mark: "!", style: "red" },
  unknown: { mark: "?", style: "magenta" },
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
  return `Plan: ${counts.create} to create, ${counts.update} to update${replaced}, ${counts.delete} to delete; ${counts.none} without a change, ${counts.refuse} refused, ${counts.unknown} unknown.`;
}
