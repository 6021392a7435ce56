import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { groupByCause, nameOfGroup } from "../targets/group-by-cause.ts";
import { printAge, shortVersion } from "../terminal/format.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { isDone, type SecretContent, type SyncRow } from "./sync-result.ts";

/** The table on stdout, and explanations on stderr. */
export function printSync(terminal: Terminal, rows: readonly SyncRow[], now: number): void {
  terminal.out(tableOf(terminal, rows, now));
  for (const row of rows) {
    const { fields = [], restarts = [] } = row;
    const name = nameOfTarget(row);
    for (const { field, what, manager } of fields) {
      terminal.say(`${name}: ${field} was ${what}${manager === undefined ? "" : ` by ${manager}`}`);
    }
    for (const { workload, outcome, code, alsoFor = [] } of restarts) {
      const why = code === undefined ? "" : ` (${code})`;
      const others = alsoFor.length === 0 ? "" : `, also for ${alsoFor.join(", ")}`;
      terminal.say(`${name}: ${workload}: ${outcome}${why}${others}`);
    }
  }
  const refused = rows.filter(({ code }) => code !== undefined);
  const causeOf = ({ code, advice }: SyncRow) => `${code}: ${advice}`;
  for (const group of groupByCause(refused, causeOf)) {
    const [first] = group;
    if (first !== undefined) terminal.say(`${nameOfGroup(group)}: ${causeOf(first)}`);
  }
}

function tableOf(terminal: Pick<Terminal, "paint" | "width">, rows: readonly SyncRow[], now: number): string {
  const cells = rows.map((row) => [
    nameOfTarget(row),
    terminal.paint(isDone(row) ? "green" : "red", row.outcome),
    row.finding ?? "-",
    printContent(row.before, now),
    printContent(row.after, now),
    stateOf(terminal, row),
  ]);
  return table(terminal, ["SECRET", "OUTCOME", "FOUND", "BEFORE", "NOW", "STATE"], cells);
}

/** A Secret that was not written can hold the current version and other values. */
function stateOf({ paint }: Pick<Terminal, "paint">, row: SyncRow): string {
  if (row.stale) return paint("red", "stale");
  return isDone(row) ? paint("green", "current") : "-";
}

/** `1a2b3c4d… 12m`: the version of the Secret and its age. */
function printContent(content: SecretContent, now: number): string {
  if (content === null) return "absent";
  if ("unknown" in content) return "unknown";
  const version = content.versionId === undefined ? "no version" : shortVersion(content.versionId);
  const { writtenAt } = content;
  return writtenAt === undefined ? version : `${version} ${printAge(now - Date.parse(writtenAt))}`;
}
