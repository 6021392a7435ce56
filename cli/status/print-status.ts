import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { describeRotation } from "../targets/describe-rotation.ts";
import { explainRows } from "../targets/explain-row.ts";
import { isInOrder, stateOf } from "../targets/rows.ts";
import { printAge, shortVersion, spanOf } from "../terminal/format.ts";
import { table } from "../terminal/table.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";
import type { StatusRow } from "./gather-status.ts";

/** The table, with explanations and commands below it. A narrow terminal shows fewer columns. */
export function printStatus(
  terminal: Pick<Terminal, "paint" | "width">,
  rows: readonly StatusRow[],
  now: number,
): string {
  const columns = COLUMNS.filter(({ fromWidth }) => terminal.width >= fromWidth);
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row, { terminal, now })));
  const grid = table(
    terminal,
    columns.map(({ heading }) => heading),
    cells,
  );
  const errors = rows.flatMap((row) => lastErrorOf(row, now));
  const below = [...rotationsOf(terminal, rows, now), ...explainRows(rows, now), ...errors];
  return [grid, ...below.map((text) => `\n${text}`), "", summary(rows)].join("\n");
}

/** The time to effective of each Secret whose workloads the relay restarts. */
function rotationsOf(
  terminal: Pick<Terminal, "paint" | "width">,
  rows: readonly StatusRow[],
  now: number,
): string[] {
  const cells = rows.flatMap((row) => {
    const { rotation } = row;
    if (rotation === undefined) return [];
    const { movedAt, writtenAt, writtenAfterMs } = rotation;
    const written = writtenAfterMs === undefined ? "-" : spanOf(writtenAfterMs);
    return [[nameOfTarget(row), ago(movedAt ?? writtenAt, now), written, describeRotation(row) ?? "-"]];
  });
  const headings = ["SECRET", "LAST ROTATION", "WRITTEN AFTER", "EFFECTIVE AFTER"];
  return cells.length === 0 ? [] : [table(terminal, headings, cells)];
}

type Context = { readonly terminal: Pick<Terminal, "paint">; readonly now: number };

type Column = {
  readonly heading: string;
  readonly fromWidth: number;
  readonly cell: (row: StatusRow, context: Context) => string;
};

const COLUMNS: readonly Column[] = [
  { heading: "SECRET", fromWidth: 0, cell: nameOfTarget },
  {
    heading: "STATE",
    fromWidth: 0,
    cell: (row, { terminal }) => terminal.paint(styleOf(row), stateOf(row)),
  },
  { heading: "SYNCED", fromWidth: 50, cell: ({ writtenAt }, { now }) => ago(writtenAt, now) },
  { heading: "VERSION", fromWidth: 70, cell: ({ versionId }) => (versionId ? shortVersion(versionId) : "-") },
  {
    heading: "SOURCE CHANGED",
    fromWidth: 90,
    cell: ({ sourceChangedAt }, { now }) => ago(sourceChangedAt, now),
  },
  { heading: "SOURCE", fromWidth: 100, cell: ({ source }) => source },
];

function styleOf(row: TargetRow): Style {
  if (row.action === "refuse" || row.finding === "STALE" || row.finding === "MISSING") return "red";
  return isInOrder(row) && row.finding === null ? "green" : "yellow";
}

const ago = (at: string | undefined, now: number): string =>
  at === undefined ? "-" : `${printAge(now - Date.parse(at))} ago`;

function lastErrorOf(row: StatusRow, now: number): string[] {
  const { lastError } = row;
  if (lastError === undefined) return [];
  return [
    `${nameOfTarget(row)}: last error, ${ago(lastError.at, now)} (${lastError.from}): ${lastError.message}`,
  ];
}

function summary(rows: readonly TargetRow[]): string {
  const counts = [...Map.groupBy(rows, stateOf)].map(([state, { length }]) => `${length} ${state}`);
  return `${rows.length} Secret(s): ${counts.join(", ")}.`;
}
