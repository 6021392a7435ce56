/**
 * Writes the table of findings in docs/sweep.md and the table of refusals in docs/runbook.md from the catalogue. A test
 * fails when they are out of date.
 *
 *   node scripts/generate-finding-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type CatalogueEntry, FINDINGS, REFUSALS } from "../shared/assess/catalogue.ts";
import { replaceMarked } from "./replace-marked.ts";

const SCRIPT = "generate-finding-docs.ts";
const SWEEP_FILE = new URL("../docs/sweep.md", import.meta.url);
const RUNBOOK_FILE = new URL("../docs/runbook.md", import.meta.url);

/** docs/sweep.md with its table updated; the text outside of the markers is unchanged. */
export function withFindings(page: string): string {
  const rows = Object.entries<CatalogueEntry>(FINDINGS).map(
    ([code, { meaning, response, remedy, shownBy }]) => [
      `\`${code}\`${shownBy === "values" ? " (by values only)" : ""}`,
      meaning,
      response,
      remedy,
    ],
  );
  return replaceMarked(page, SCRIPT, "finding codes", tableOf(["code", "meaning", "the relay", "you"], rows));
}

/** The same for docs/runbook.md. */
export function withRefusals(page: string): string {
  const rows = Object.entries(REFUSALS).map(([code, advice]) => [`\`${code}\``, advice]);
  return replaceMarked(page, SCRIPT, "refusal codes", tableOf(["code", "cause, and what to do"], rows));
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

if (import.meta.main) {
  writeFileSync(SWEEP_FILE, withFindings(readFileSync(SWEEP_FILE, "utf8")));
  writeFileSync(RUNBOOK_FILE, withRefusals(readFileSync(RUNBOOK_FILE, "utf8")));
}
