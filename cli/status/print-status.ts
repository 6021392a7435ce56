import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { table } from "../terminal/table.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";
import { printAge, shortVersion } from "../terminal/words.ts";
import { type BindingStatus, STATES, type State } from "./status-of.ts";

/** The table, and below it what a person can do; what a narrow window has no room for is left out. */
export function printStatus(
  terminal: Pick<Terminal, "paint" | "width">,
  statuses: readonly BindingStatus[],
  now: number,
): string {
  const columns = COLUMNS.filter(({ fromWidth }) => terminal.width >= fromWidth);
  const rows = statuses.map((status) => columns.map(({ cell }) => cell(status, { terminal, now })));
  const grid = table(
    terminal,
    columns.map(({ heading }) => heading),
    rows,
  );
  return [grid, ...statuses.flatMap((status) => remarksOn(status, now)), "", summary(statuses)].join("\n");
}

type Context = { readonly terminal: Pick<Terminal, "paint">; readonly now: number };

type Column = {
  readonly heading: string;
  readonly fromWidth: number;
  readonly cell: (status: BindingStatus, context: Context) => string;
};

const COLUMNS: readonly Column[] = [
  { heading: "SECRET", fromWidth: 0, cell: ({ target }) => nameOfTarget(target) },
  { heading: "STATE", fromWidth: 0, cell: ({ state }, { terminal }) => terminal.paint(STYLES[state], state) },
  { heading: "SYNCED", fromWidth: 50, cell: ({ syncedAt }, { now }) => ago(syncedAt, now) },
  { heading: "VERSION", fromWidth: 70, cell: ({ versionId }) => (versionId ? shortVersion(versionId) : "-") },
  {
    heading: "SOURCE CHANGED",
    fromWidth: 90,
    cell: ({ sourceChangedAt }, { now }) => ago(sourceChangedAt, now),
  },
  { heading: "SOURCE", fromWidth: 100, cell: ({ source }) => source },
];

const STYLES: Readonly<Record<State, Style>> = {
  stale: "red",
  missing: "red",
  "source-gone": "red",
  refused: "red",
  drifted: "yellow",
  unknown: "yellow",
  current: "green",
};

const ago = (at: string | undefined, now: number): string =>
  at === undefined ? "-" : `${printAge(now - Date.parse(at))} ago`;

function remarksOn({ target, code, advice, lastError }: BindingStatus, now: number): string[] {
  const name = nameOfTarget(target);
  return [
    ...(code === undefined ? [] : [`\n${name}: ${code}${advice === undefined ? "" : `. ${advice}`}`]),
    ...(lastError === undefined
      ? []
      : [
          `${code === undefined ? "\n" : ""}${name}: last error, ${ago(lastError.at, now)} (${lastError.from}): ${lastError.message}`,
        ]),
  ];
}

function summary(statuses: readonly BindingStatus[]): string {
  const counts = STATES.flatMap((state) => {
    const count = statuses.filter((status) => status.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return `${statuses.length} bound: ${counts.join(", ")}.`;
}
