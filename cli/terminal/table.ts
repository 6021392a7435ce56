import { stripVTControlCharacters } from "node:util";
import type { Terminal } from "./terminal.ts";

/** Columns as kubectl prints them: no lines, a heading in capitals, and the last column cut where the window ends. */
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

/** A line with colour in it is left whole: half a control sequence would colour the rest of the window. */
function cutTo(width: number, line: string): string {
  const trimmed = line.trimEnd();
  if (lengthOf(trimmed) <= width || trimmed.includes("\u001b")) return trimmed;
  return `${trimmed.slice(0, width - 1)}…`;
}
