/**
 * Writes the tables of docs/migrate-from-eso.md: the constructs of test/import-eso/*.yaml, the notes from the code of
 * `secret-relay import-eso`, and the counts of the operator's examples. A test fails when one is out of date.
 *
 *   node scripts/generate-migration-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { NOTES } from "../cli/import-eso/notes.ts";
import {
  type Construct,
  type ExampleResult,
  readConstructs,
  readExampleResults,
  readTemplateConstructs,
  type TemplateConstruct,
} from "./eso-constructs.ts";
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/migrate-from-eso.md", import.meta.url);

/** The page with its tables updated; the text outside of their markers is unchanged. */
export function withMigrationTables(page: string): string {
  const tables = {
    constructs: tableOf(
      ["in the manifest", "result", "in the binding, or the way forward"],
      readConstructs().constructs.map(rowOf),
    ),
    functions: tableOf(
      ["in the template", "result", "in the binding, or the way forward"],
      readTemplateConstructs().rows.map(templateRowOf),
    ),
    notes: tableOf(
      ["note", "kind", "meaning"],
      Object.entries(NOTES).map(([code, { kind, text }]) => [`\`${code}\``, kind, text]),
    ),
    examples: sentenceOf(readExampleResults()),
  };
  return Object.entries(tables).reduce(
    (text, [name, table]) => replaceMarked(text, "generate-migration-docs.ts", name, table),
    page,
  );
}

function rowOf(row: Construct): string[] {
  if (row.refused !== undefined) return [row.construct, `refused: \`${row.refused}\``, row.forward];
  const notes = row.notes ?? [];
  const result =
    notes.length === 0 ? "exact" : `exact, with ${notes.map((note) => `\`${note}\``).join(", ")}`;
  return [row.construct, result, row.becomes === undefined ? "nothing" : code(row.becomes)];
}

function templateRowOf(row: TemplateConstruct): string[] {
  if (row.forward !== undefined) return [row.construct, "refused: `TEMPLATE`", row.forward];
  return [row.construct, "exact", row.becomes.map(code).join(", ")];
}

function sentenceOf(examples: readonly ExampleResult[]): string {
  const converted = examples.filter(({ notes, refused = [] }) => notes !== undefined && refused.length === 0);
  const exact = converted.filter(({ notes = [] }) => notes.length === 0);
  const unread = examples.filter((example) => example.unread !== undefined);
  const refused = examples.filter(({ refused = [] }) => refused.length > 0);
  const codes = Map.groupBy(
    refused.flatMap(({ refused = [] }) => [...new Set(refused.map((each) => each.split(" ").at(-1) ?? ""))]),
    (code) => code,
  );
  const counted = [...codes]
    .sort(
      ([one, { length }], [other, { length: otherLength }]) =>
        otherLength - length || one.localeCompare(other),
    )
    .map(([code, found]) => `\`${code}\` ${found.length}`);
  return `Of ${examples.length} files, ${converted.length} are converted: ${exact.length} exactly, and ${converted.length - exact.length} with a note on values. ${unread.length} are not valid YAML. ${refused.length} are refused, some for several reasons: ${counted.join(", ")}.`;
}

/** In a table of Markdown, a bar in code needs a backslash too. */
const code = (text: string): string => (text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``);

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

if (import.meta.main) writeFileSync(DOCS_FILE, withMigrationTables(readFileSync(DOCS_FILE, "utf8")));
