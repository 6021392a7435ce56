import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { RelayMetadata } from "../../shared/bindings/relay-identity.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { Session } from "../live/open-session.ts";
import { assessTargets } from "../targets/assess-targets.ts";
import { explainRow, identityRemark } from "../targets/explain-row.ts";
import { byName, isInOrder, isNotable } from "../targets/rows.ts";
import { type CheckResult, ok, skipped, wrong, wrongBy } from "./check-result.ts";

export type TargetsCheck = Pick<SweepReport, "targets" | "orphansUnknown"> & {
  readonly results: readonly CheckResult[];
};

/** Compares sources and Secrets with the bindings. The rows are the same as in every other command. */
export async function checkTargets(
  session: Session,
  { values, budget }: { values: boolean; budget: TimeBudget },
): Promise<TargetsCheck> {
  try {
    const report = await assessTargets(session, { mode: values ? "values" : "metadata" }, budget);
    const targets = report.targets.toSorted(byName);
    const { orphansUnknown, mode } = report;
    return {
      results: resultsOf(targets, session.index.ownMetadata, mode, session.now()),
      targets,
      orphansUnknown,
    };
  } catch (error) {
    return { results: [wrongBy("secrets", error)], targets: [], orphansUnknown: [] };
  }
}

function resultsOf(
  rows: readonly TargetRow[],
  ownMetadata: RelayMetadata,
  mode: string,
  now: number,
): CheckResult[] {
  if (rows.length === 0) {
    const says = "no Secret is bound, so nothing was compared";
    return [wrong("secrets", { code: "NOTHING_SELECTED", says, fix: "add bindings to the bindings file" })];
  }
  const notable = rows.filter(isNotable);
  if (notable.length === 0) return [ok("secrets", `all ${rows.length} match the bindings, by ${mode}`)];
  const [identity] = identityRemark(rows, ownMetadata);
  return notable.map((row) => resultOf(row, now, identity));
}

function resultOf(row: TargetRow, now: number, identity: string | undefined): CheckResult {
  const { finding, action, source } = row;
  const code = codeOf(row);
  const about = nameOfTarget(row);
  const { says = "", details = [], remedy = "", commands = [] } = explainRow(row, now) ?? {};
  if (action === "unknown") return { ...skipped("secrets", remedy, { about }), code };
  const summary = [says.replace(/\.$/, ""), ...details, `source ${source}`].join("; ");
  if (isInOrder(row)) return { ...ok("secrets", `${summary}. ${remedy}`, { about }), code };
  const isOther = finding === "OWNED_BY_ANOTHER_RELAY" && identity !== undefined;
  const fix = [remedy, ...(isOther ? [identity] : []), ...commands].filter((line) => line !== "");
  return wrong("secrets", { code, says: summary, fix: fix.join("\n    "), about });
}

/** The most specific code. */
function codeOf({ finding, action, code, cause }: TargetRow): string {
  const isStopped = code === "HELD" || code === "CONTESTED";
  return cause ?? (isStopped ? code : (finding ?? code ?? action));
}
