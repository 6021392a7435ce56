import { stripVTControlCharacters } from "node:util";
import type { Terminal } from "./terminal.ts";

/** Columns as kubectl prints them: no lines, headings in capitals, and rows cut at the width of the terminal. */
export function table(
  terminal: Pick<Terminal, "paint" | "width">,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => lengthOf(row[column] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    cutTo(
      terminal.width,
      headings
        .map((_, column) =>
          pad(cells[column] ?? "", column === headings.length - 1 ? 0 : (widths[column] ?? 0)),
        )
        .join("   "),
    );
  return [terminal.paint("bold", line(headings)), ...rows.map(line)].join("\n");
}

const lengthOf = (cell: string): number => stripVTControlCharacters(cell).length;

const pad = (cell: string, width: number): string => cell + " ".repeat(Math.max(0, width - lengthOf(cell)));

/** Control sequences have no width. */
function cutTo(width: number, line: string): string {
  const trimmed = line.trimEnd();
  if (lengthOf(trimmed) <= width) return trimmed;
  let room = width - 1;
  let cut = "";
  for (const [part, sequence] of trimmed.matchAll(SEQUENCE_OR_TEXT)) {
    if (sequence !== undefined) cut += sequence;
    else if (room > 0) {
      cut += part.slice(0, room);
      room -= part.length;
    }
  }
  return `${cut}…`;
}

/** Sequences after the cut are kept, since they end the colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a sequence begins with one
const SEQUENCE_OR_TEXT = /(\u001b\[[0-9;]*m)|[^\u001b]+/g;
