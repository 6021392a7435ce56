// Updates the tables that the docs derive from bench/results/ (scripts/record-bench.ts writes the results):
//
//   npx node scripts/generate-performance-docs.ts
import { readFileSync, writeFileSync } from "node:fs";
import { readResults } from "./performance/results.ts";
import { measuresTable, resultsTable } from "./performance/tables.ts";
import { replaceMarked } from "./replace-marked.ts";

/** Generated tables by page, then by the name in their markers. */
export function performanceTables(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const results = readResults();
  return {
    "docs/internals/performance.md": { results: resultsTable(results), measures: measuresTable(results) },
  };
}

/** The page with its generated tables updated. */
export function updatePage(page: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce(
    (updated, [name, table]) => replaceMarked(updated, "generate-performance-docs.ts", name, table),
    page,
  );
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  for (const [path, tables] of Object.entries(performanceTables())) {
    const page = new URL(path, root);
    writeFileSync(page, updatePage(readFileSync(page, "utf8"), tables));
  }
}
