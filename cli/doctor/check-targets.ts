import type { RelayMarks } from "../../shared/identity/relay-identity.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import { assessTargets } from "../targets/assess-targets.ts";
import { explainRow, identityRemark } from "../targets/explain-row.ts";
import { byName, isInOrder, isNotable, nameOfRow } from "../targets/rows.ts";
import { type CheckResult, ok, skipped, wrong, wrongBy } from "./check-result.ts";

export type TargetsCheck = Pick<SweepReport, "targets" | "orphansUnknown"> & {
  readonly results: readonly CheckResult[];
};

/** Are sources and Secrets as the bindings say? The rows are those of every other command. */
export async function checkTargets(
  live: Live,
  { values, budget }: { values: boolean; budget: TimeBudget },
): Promise<TargetsCheck> {
  try {
    const report = await assessTargets(live, { mode: values ? "values" : "metadata" }, budget);
    const targets = report.targets.toSorted(byName);
    const { orphansUnknown, mode } = report;
    return { results: resultsOf(targets, live.index.marks, mode, live.now()), targets, orphansUnknown };
  } catch (error) {
    return { results: [wrongBy("secrets", error)], targets: [], orphansUnknown: [] };
  }
}

function resultsOf(rows: readonly TargetRow[], marks: RelayMarks, mode: string, now: number): CheckResult[] {
  if (rows.length === 0) {
    const fix = "add bindings to the bindings file";
    return [
      wrong("secrets", {
        code: "NOTHING_SELECTED",
        says: "no Secret is bound, so nothing was compared",
        fix,
      }),
    ];
  }
  const notable = rows.filter(isNotable);
  if (notable.length === 0) return [ok("secrets", `all ${rows.length} are as the bindings say, by ${mode}`)];
  const [identity] = identityRemark(rows, marks);
  return notable.map((row) => resultOf(row, now, identity));
}

function resultOf(row: TargetRow, now: number, identity: string | undefined): CheckResult {
  const { finding, action, source } = row;
  const code = codeOf(row);
  const about = nameOfRow(row);
  const { says = "", details = [], remedy = "", commands = [] } = explainRow(row, now) ?? {};
  if (action === "unknown") return { ...skipped("secrets", remedy, { about }), code };
  const told = [says.replace(/\.$/, ""), ...details, `source ${source}`].join("; ");
  if (isInOrder(row)) return { ...ok("secrets", `${told}. ${remedy}`, { about }), code };
  const isOther = finding === "OWNED_BY_ANOTHER_RELAY" && identity !== undefined;
  const fix = [remedy, ...(isOther ? [identity] : []), ...commands].filter((line) => line !== "");
  return wrong("secrets", { code, says: told, fix: fix.join("\n    "), about });
}

/** The finding, unless another code says more. */
function codeOf({ finding, action, code, cause }: TargetRow): string {
  const isStopped = code === "HELD" || code === "CONTESTED";
  return cause ?? (isStopped ? code : (finding ?? code ?? action));
}
