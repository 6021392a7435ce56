/**
 * Writes the tables of docs/reference.md from the commands, the schema of bindings.yaml, both templates and the
 * catalogue of findings, and the fixed costs in docs/deploy.md. A test fails when they are out of date.
 *
 *   npx node scripts/generate-reference.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fixedCostsTable } from "./fixed-costs.ts";
import { commandTable } from "./reference/commands.ts";
import { findingTable } from "./reference/findings.ts";
import { parameterTables } from "./reference/parameters.ts";
import { settingTables } from "./reference/settings.ts";
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/reference.md", import.meta.url);
const DEPLOY_FILE = new URL("../docs/deploy.md", import.meta.url);

/** The page with its tables updated; the text outside of their markers is unchanged. */
export function withReference(page: string): string {
  const tables = {
    commands: commandTable(),
    settings: settingTables(),
    parameters: parameterTables("template.yaml"),
    "parameters of monitoring.yaml": parameterTables("monitoring.yaml"),
    findings: findingTable(),
  };
  return Object.entries(tables).reduce(
    (updated, [name, text]) => replaceMarked(updated, "generate-reference.ts", name, text),
    page,
  );
}

/** docs/deploy.md with the fixed costs of both templates. */
export function withFixedCosts(page: string): string {
  return replaceMarked(page, "generate-reference.ts", "fixed costs", fixedCostsTable());
}

if (import.meta.main) {
  writeFileSync(DOCS_FILE, withReference(readFileSync(DOCS_FILE, "utf8")));
  writeFileSync(DEPLOY_FILE, withFixedCosts(readFileSync(DEPLOY_FILE, "utf8")));
}
