// Renews what docs/performance.md says of bench/results/, and its pictures in docs/performance/:
//
//   npx node scripts/generate-performance-docs.ts
//
// Needs nothing; a moment. scripts/record-bench.ts makes the results.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { performancePlots } from "./performance/plots.ts";
import { readResults } from "./performance/results.ts";
import { importsTable, measuresTable, resultsTable } from "./performance/tables.ts";

type PerformanceDocs = {
  /** By the word in the marks of the page that each stands between. */
  readonly tables: ReadonlyMap<string, string>;
  /** As SVG, by name. */
  readonly plots: ReadonlyMap<string, string>;
};

export function performanceDocs(): PerformanceDocs {
  const results = readResults();
  const tables = new Map([
    ["results", resultsTable(results)],
    ["measures", measuresTable(results)],
    ["imports", importsTable(results)],
  ]);
  return { tables, plots: performancePlots(results) };
}

/** The page with its generated parts renewed. */
export function renewPage(page: string, { tables }: PerformanceDocs): string {
  let renewed = page;
  for (const [name, table] of tables) {
    const marked = new RegExp(`<!-- ${name} -->\\n[^]*?<!-- end -->`);
    if (!marked.test(renewed)) throw new TypeError(`The page has lost its marks of ${name}`);
    renewed = renewed.replace(marked, () => `<!-- ${name} -->\n${table}\n<!-- end -->`);
  }
  return renewed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL("../", import.meta.url);
  const docs = performanceDocs();
  const page = new URL("docs/performance.md", root);
  writeFileSync(page, renewPage(readFileSync(page, "utf8"), docs));
  mkdirSync(new URL("docs/performance/", root), { recursive: true });
  for (const [name, svg] of docs.plots) writeFileSync(new URL(`docs/performance/${name}.svg`, root), svg);
}
