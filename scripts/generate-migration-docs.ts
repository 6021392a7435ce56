/**
 * Writes the table of notes in docs/migrate-from-eso.md from the code of `secret-relay import-eso`. A test fails when it
 * is out of date.
 *
 *   node scripts/generate-migration-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { NOTES } from "../cli/import-eso/notes.ts";
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/migrate-from-eso.md", import.meta.url);

/** The page with its table updated; the text outside of its markers is unchanged. */
export function withNotes(page: string): string {
  const rows = Object.entries(NOTES).map(([code, { kind, text }]) => `| \`${code}\` | ${kind} | ${text} |`);
  const table = ["| note | kind | meaning |", "| --- | --- | --- |", ...rows].join("\n");
  return replaceMarked(page, "generate-migration-docs.ts", "notes", table);
}

if (import.meta.main) writeFileSync(DOCS_FILE, withNotes(readFileSync(DOCS_FILE, "utf8")));
