/**
 * Writes the tables of docs/operate.md from the code of `secret-relay tune`. A test fails when they are out of date.
 *
 *   node scripts/generate-intervals-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { loadOfNumbers } from "../cli/tune/load.ts";
import { DEFAULTS, parseSituation } from "../cli/tune/parse-situation.ts";
import { type IntervalPlan, planIntervals } from "../cli/tune/plan-intervals.ts";
import { POLLING_HEADINGS, pollingCells, RELAY_HEADINGS, relayCells } from "../cli/tune/print-plan.ts";
import { tableOf } from "./reference/markdown.ts";
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/operate.md", import.meta.url);
const SCRIPT = "generate-intervals-docs.ts";

/** The page with its tables updated; the text outside of their markers is unchanged. */
export function withIntervals(page: string): string {
  const plan = examplePlan();
  const tables = [
    "Polling:",
    markdown(POLLING_HEADINGS, plan.polling.map(pollingCells)),
    "The relay, with events and sweeps:",
    markdown(RELAY_HEADINGS, plan.relay.map(relayCells)),
    `> ${plan.advice.sentences.join(" ")}`,
  ].join("\n\n");
  return replaceMarked(page, SCRIPT, "tables", tables);
}

function examplePlan(): IntervalPlan {
  const load = loadOfNumbers({ secrets: 200, namespaces: 3, targets: 600, clusters: 1 });
  const parsed = parseSituation(DEFAULTS, load);
  if (parsed.kind === "wrong") throw new Error(parsed.problems.join("; "));
  return planIntervals(parsed.situation);
}

function markdown(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return tableOf(
    headings,
    rows.map((cells) => cells.map(escapedCell)),
  );
}

const escapedCell = (cell: string): string => cell.replaceAll("*", "\\*").replaceAll("<", "&lt;");

if (import.meta.main) writeFileSync(DOCS_FILE, withIntervals(readFileSync(DOCS_FILE, "utf8")));
