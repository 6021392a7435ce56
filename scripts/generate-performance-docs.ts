// Renews what the docs say of bench/results/, and the pictures in docs/performance/:
//
//   npx node scripts/generate-performance-docs.ts
//
// Needs nothing; a moment. scripts/record-bench.ts makes the results.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { performancePlots } from "./performance/plots.ts";
import { readResults } from "./performance/results.ts";
import { importsTable, measuresTable, resultsTable, scaleTable, sweepTable } from "./performance/tables.ts";
import { replaceMarked } from "./replace-marked.ts";

type PerformanceDocs = {
  /** By page, then by the word in the marks that each stands between. */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** As SVG, by name. */
  readonly plots: ReadonlyMap<string, string>;
};

export function performanceDocs(): PerformanceDocs {
  const results = readResults();
  return {
    tables: {
      "docs/performance.md": {
        results: resultsTable(results),
        measures: measuresTable(results),
        imports: importsTable(results),
      },
      "docs/sweep.md": { results: sweepTable(results) },
      "docs/scale.md": { results: scaleTable(results) },
    },
    plots: performancePlots(results),
  };
}

/** The page with its generated parts renewed. */
export function renewPage(page: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce(
    (renewed, [name, table]) => replaceMarked(renewed, "generate-performance-docs.ts", name, table),
    page,
  );
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const { tables, plots } = performanceDocs();
  for (const [path, ofPage] of Object.entries(tables)) {
    const page = new URL(path, root);
    writeFileSync(page, renewPage(readFileSync(page, "utf8"), ofPage));
  }
  mkdirSync(new URL("docs/performance/", root), { recursive: true });
  for (const [name, svg] of plots) writeFileSync(new URL(`docs/performance/${name}.svg`, root), svg);
}
