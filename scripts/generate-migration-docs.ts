/**
 * Writes the tables of docs/migrate-from-eso.md: the constructs of test/import-eso/*.yaml, the notes from the code of
 * `secret-relay import-eso`, and the counts of the operator's examples. A test fails when one is out of date.
 *
 *   node scripts/generate-migration-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { NOTES, type NoteCode } from "../cli/import-eso/notes.ts";
import {
  type Construct,
  type ExampleResult,
  readConstructs,
  readExampleResults,
  readTemplateConstructs,
  type TemplateConstruct,
} from "./eso-constructs.ts";
import { tableOf } from "./reference/markdown.ts";
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/migrate-from-eso.md", import.meta.url);

/** The page with its tables updated; the text outside of their markers is unchanged. */
export function withMigrationTables(page: string): string {
  const tables = {
    constructs: tableOf(
      ["manifest", "result", "binding, or way forward"],
      merged(readConstructs().constructs.map(rowOf)),
    ),
    functions: tableOf(
      ["template", "result", "binding, or way forward"],
      readTemplateConstructs().rows.map(templateRowOf),
    ),
    "value-notes": tableOf(["note", "differs only for"], notesOf("value")),
    "conduct-notes": tableOf(["note", "meaning"], notesOf("conduct")),
    examples: sentenceOf(readExampleResults()),
  };
  return Object.entries(tables).reduce(
    (text, [name, table]) => replaceMarked(text, "generate-migration-docs.ts", name, table),
    page,
  );
}

/** The page says once which constructs have them. */
const USUAL: ReadonlySet<string> = new Set<NoteCode>([
  "NUMBER_SPELLING",
  "NESTED_SPELLING",
  "KEY_REPEATED",
  "ILLEGAL_KEYS_REFUSED",
  "EMPTY_REFUSED",
]);

function rowOf(row: Construct): string[] {
  if (row.refused !== undefined) return [row.construct, `refused: ${code(row.refused)}`, row.forward];
  const notes = (row.notes ?? []).filter((note) => !USUAL.has(note));
  const result = ["exact", ...notes.map(code)].join(", ");
  return [row.construct, result, row.becomes === undefined ? "nothing" : code(dense(row.becomes))];
}

/** Rows with the same result share one. */
function merged(rows: readonly (readonly string[])[]): string[][] {
  const groups = Map.groupBy(rows, ([, ...result]) => result.join("|"));
  return [...groups.values()].map((group) => [
    group.map(([construct]) => construct).join("; "),
    ...(group[0]?.slice(1) ?? []),
  ]);
}

/** A flow map without the spaces within its braces. */
const dense = (flow: string): string => flow.replace(/(?<=\{) | (?=\})/g, "");

function templateRowOf(row: TemplateConstruct): string[] {
  if (row.forward !== undefined) return [row.construct, "refused", row.forward];
  return [row.construct, "exact", row.becomes.map(code).join(", ")];
}

const notesOf = (kind: "value" | "conduct"): string[][] =>
  Object.entries(NOTES)
    .filter(([, note]) => note.kind === kind)
    .map(([name, { text }]) => [code(name), text.replace(/^Differs only for /, "")]);

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

const code = (text: string): string => (text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``);

if (import.meta.main) writeFileSync(DOCS_FILE, withMigrationTables(readFileSync(DOCS_FILE, "utf8")));
