import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import type { Finding } from "../../shared/sweep/finding.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { table } from "../terminal/table.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";
import { printAge } from "../terminal/words.ts";

/** What the sweep found, as a table, and how much it looked at. */
export function printSweep(terminal: Pick<Terminal, "paint" | "width">, report: SweepReport): string {
  const { findings, bindings, checked, calls, shardsQueued, plan } = report;
  const rows = findings.map((finding) => [
    nameOfTarget(finding.target),
    finding.code,
    terminal.paint(styleOf(finding), wordOf(finding)),
    detailsOf(finding),
  ]);
  const action = plan ? "WOULD" : "DONE";
  const grid = rows.length > 0 ? [table(terminal, ["SECRET", "FOUND", action, "DETAILS"], rows), ""] : [];
  const queued = shardsQueued > 0 ? `; ${shardsQueued} shard(s) went to the queue of the stack` : "";
  const asked = `${calls.aws} calls to AWS, ${calls.kubernetes} to clusters`;
  return [
    ...grid,
    `${checked} of ${bindings} bound Secrets compared by ${report.mode}, ${findings.length} finding(s)${queued}. ${asked}.`,
  ].join("\n");
}

/** What the reader must be told besides: advice on what was not repaired, and what could not be seen. */
export function remarksOnSweep({ findings, unchecked, unseen }: SweepReport): string[] {
  return [
    ...findings.flatMap(({ target, action }) =>
      "code" in action ? [`${nameOfTarget(target)}: ${action.code}: ${action.advice}`] : [],
    ),
    ...unchecked.map(
      ({ target, code, advice }) => `${nameOfTarget(target)}: not compared, ${code}: ${advice}`,
    ),
    ...unseen.map(
      ({ cluster, namespace }) =>
        `${cluster}/${namespace}: Secrets may not be listed there, so unbound ones are not in this report.`,
    ),
  ];
}

/** Everything was compared, and nothing is left that a person or a later sweep must do. */
export function isFine({ findings, unchecked }: SweepReport): boolean {
  return unchecked.length === 0 && findings.every((finding) => FINE.has(wordOf(finding)));
}

const wordOf = ({ action }: Finding): string => (action.kind === "planned" ? action.would : action.kind);

const FINE: ReadonlySet<string> = new Set(["repaired", "already-right", "deleted", "left", "nothing"]);

function styleOf(finding: Finding): Style {
  const word = wordOf(finding);
  if (word === "refused" || word === "failed" || word === "held-back") return "red";
  return word === "repair" || word === "delete" ? "yellow" : "green";
}

function detailsOf({ code, source, details }: Finding): string {
  const { staleMs, fields = [], cause } = details;
  const parts = [
    ...(code === "STALE" && staleMs !== undefined ? [`for ${printAge(staleMs)} at least`] : []),
    ...fields.map(({ field, what, manager }) => `${field} ${what}${manager ? ` by ${manager}` : ""}`),
    ...(cause === undefined ? [] : [cause]),
    ...(source === "" ? [] : [`from ${source}`]),
  ];
  return parts.join(", ");
}
