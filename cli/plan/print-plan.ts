import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";
import type { PlannedAction, PlannedTarget } from "./planned-target.ts";

/** A diff as a reviewer reads one: a line for each target, and below it one for each key. */
export function printPlan(
  { paint }: Pick<Terminal, "paint">,
  targets: readonly PlannedTarget[],
  { showsLeft }: { readonly showsLeft: boolean },
): string {
  const shown = targets.filter(({ action, code }) => action !== "leave" || showsLeft || code !== undefined);
  const blocks = shown.map((planned) => {
    const { mark, style } = LOOKS[planned.action];
    const because = planned.code === undefined ? "" : `  ${planned.code}`;
    const head = paint(style, `${mark} ${nameOfTarget(planned.target)}  ${planned.action}${because}`);
    return [`${head}  ${paint("dim", `from ${planned.source}`)}`, ...detailsOf(paint, planned)].join("\n");
  });
  return [...blocks, ...(blocks.length > 0 ? [""] : []), summaryOf(targets)].join("\n");
}

const LOOKS: Readonly<Record<PlannedAction, { mark: string; style: Style }>> = {
  create: { mark: "+", style: "green" },
  update: { mark: "~", style: "yellow" },
  replace: { mark: "±", style: "yellow" },
  delete: { mark: "-", style: "red" },
  leave: { mark: "=", style: "dim" },
  refuse: { mark: "!", style: "red" },
  unknown: { mark: "?", style: "magenta" },
};

function detailsOf(paint: Terminal["paint"], { keys, fields, advice }: PlannedTarget): string[] {
  const line = (style: Style, mark: string, text: string) => paint(style, `    ${mark} ${text}`);
  return [
    ...keys.added.map((key) => line("green", "+", key)),
    ...keys.changed.map((key) => line("yellow", "~", key)),
    ...keys.mayChange.map((key) => line("yellow", "~", `${key} (perhaps: its value was not read)`)),
    ...keys.removed.map((key) => line("red", "-", key)),
    ...(keys.areTheSources === true
      ? [line("dim", "…", "every key that the source has (see them with --values)")]
      : []),
    ...fields.map((field) => line("yellow", "~", field)),
    ...(advice === undefined || advice === "" ? [] : [line("dim", "→", advice)]),
  ];
}

/** How many targets come to what. */
export function countActions(targets: readonly PlannedTarget[]): Readonly<Record<PlannedAction, number>> {
  const counts = { create: 0, update: 0, replace: 0, delete: 0, leave: 0, refuse: 0, unknown: 0 };
  for (const { action } of targets) counts[action] += 1;
  return counts;
}

function summaryOf(targets: readonly PlannedTarget[]): string {
  const counts = countActions(targets);
  const replaced = counts.replace > 0 ? `, ${counts.replace} to replace` : "";
  return `Plan: ${counts.create} to create, ${counts.update} to update${replaced}, ${counts.delete} to delete; ${counts.leave} as they should be, ${counts.refuse} refused, ${counts.unknown} not known.`;
}
