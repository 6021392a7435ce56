/**
 * Writes the tables of docs/intervals.md and the picture beside it by the code of `secret-relay tune`.
 * It needs nothing but node_modules and takes a moment. A test fails when they are out of date.
 *
 *   node scripts/generate-intervals-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { drawIntervals } from "../cli/tune/draw-intervals.ts";
import { KNOWN, type KnownNumber } from "../cli/tune/known-numbers.ts";
import { loadOfNumbers } from "../cli/tune/load.ts";
import { DEFAULTS, parseSituation } from "../cli/tune/parse-situation.ts";
import { type IntervalPlan, planIntervals } from "../cli/tune/plan-intervals.ts";
import { POLLING_HEADINGS, pollingCells, RELAY_HEADINGS, relayCells } from "../cli/tune/print-plan.ts";
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/intervals.md", import.meta.url);
const SCRIPT = "generate-intervals-docs.ts";
export const PICTURE_FILE = new URL("../docs/intervals.svg", import.meta.url);

/** The page with its tables made anew; everything outside of their markers stays as it is. */
export function withIntervals(page: string): string {
  const plan = examplePlan();
  const tables = [
    "Polling:",
    markdown(POLLING_HEADINGS, plan.polling.map(pollingCells)),
    "The relay, which is told by events and sweeps besides:",
    markdown(RELAY_HEADINGS, plan.relay.map(relayCells)),
    `> ${plan.advice.sentences.join(" ")}`,
  ].join("\n\n");
  const sources = markdown(
    ["number", "source", "seen on"],
    (Object.values(KNOWN) as readonly KnownNumber[]).map(({ what, source, seenOn }) => [
      what,
      source,
      seenOn,
    ]),
  );
  return replaceMarked(replaceMarked(page, SCRIPT, "tables", tables), SCRIPT, "sources", sources);
}

/** The picture of the same numbers. */
export const picture = (): string => drawIntervals(examplePlan());

function examplePlan(): IntervalPlan {
  const load = loadOfNumbers({ secrets: 200, namespaces: 3, targets: 600, clusters: 1 });
  const parsed = parseSituation(DEFAULTS, load);
  if (parsed.kind === "wrong") throw new Error(parsed.problems.join("; "));
  return planIntervals(parsed.situation);
}

function markdown(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(headings),
    line(headings.map(() => "---")),
    ...rows.map((cells) => line(cells.map(escapedCell))),
  ].join("\n");
}

const escapedCell = (cell: string): string => cell.replaceAll("*", "\\*").replaceAll("<", "&lt;");

if (import.meta.main) {
  writeFileSync(DOCS_FILE, withIntervals(readFileSync(DOCS_FILE, "utf8")));
  writeFileSync(PICTURE_FILE, picture());
}
