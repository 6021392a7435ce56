import { nameOfRow } from "../targets/rows.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { printAge, shortVersion } from "../terminal/words.ts";
import { type Held, isDone, type SyncRow } from "./sync-result.ts";

/** The table on stdout, and on stderr what needs a person. */
export function printSync(terminal: Terminal, rows: readonly SyncRow[], now: number): void {
  terminal.out(tableOf(terminal, rows, now));
  for (const row of rows) {
    const { code, advice, fields = [], restarts = [] } = row;
    const name = nameOfRow(row);
    for (const { field, what, manager } of fields) {
      terminal.say(`${name}: ${field} had been ${what}${manager === undefined ? "" : ` by ${manager}`}`);
    }
    if (code !== undefined) terminal.say(`${name}: ${code}: ${advice}`);
    for (const restart of restarts) terminal.say(`${name}: ${restart.workload}: ${restart.outcome}`);
  }
}

function tableOf(terminal: Pick<Terminal, "paint" | "width">, rows: readonly SyncRow[], now: number): string {
  const cells = rows.map((row) => [
    nameOfRow(row),
    terminal.paint(isDone(row) ? "green" : "red", row.outcome),
    row.finding ?? "-",
    printHeld(row.before, now),
    printHeld(row.after, now),
    row.stale ? terminal.paint("red", "stale") : terminal.paint("green", "current"),
  ]);
  return table(terminal, ["SECRET", "OUTCOME", "FOUND", "BEFORE", "NOW", "IS"], cells);
}

/** `1a2b3c4d… 12m`: a version, and how long the Secret has held it. */
function printHeld(held: Held, now: number): string {
  if (held === null) return "absent";
  if ("unknown" in held) return "unknown";
  const version = held.versionId === undefined ? "no version" : shortVersion(held.versionId);
  return held.writtenAt === undefined ? version : `${version} ${printAge(now - Date.parse(held.writtenAt))}`;
}
