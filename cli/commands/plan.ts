import { Argument } from "commander";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { addAwsOptions, addClusterOptions, type SessionOptions } from "../live/options.ts";
import { countActions, printPlan } from "../plan/print-plan.ts";
import { explainOrphansUnknown, identityRemark } from "../targets/explain-row.ts";
import { byName, isChange } from "../targets/rows.ts";
import { withProgress } from "../terminal/progress.ts";

type PlanOptions = SessionOptions & {
  readonly cluster?: readonly string[];
  readonly values?: boolean;
  readonly all?: boolean;
  readonly exitCode?: boolean;
  readonly json?: boolean;
};

export const addPlan: AddCommand = (program, cli) => {
  const command = program
    .command("plan")
    .summary("show what a sync or a sweep would change")
    .description(
      "Compares the bindings with the clusters and changes nothing. By metadata it reads no value, and cannot show which keys a new version changes; with --values it reads both sides and names the keys. No value is ever shown.",
    )
    .addArgument(new Argument("[what]", "namespace/name of a Secret, or the name or ARN of a source"))
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .option("--values", "read the values of both sides and compare them")
    .option("--all", "list what is in order, too")
    .option("--exit-code", "end with 1 when there is anything to change, or anything refused")
    .addOption(bindingsOption())
    .option("--json", "print one JSON object");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      `${examples(
        ["secret-relay plan", "before a merge: what would this bindings.yaml change"],
        ["secret-relay plan shop/db --values", "one Secret, with the names of its keys"],
        ["secret-relay plan --exit-code", "for CI: 0 only when there is nothing to do"],
      )}\n\nEnds with 1 when something is unknown. With --exit-code also when there are changes or refusals. Orphans are listed when [what] is left out.`,
    )
    .action(cli.runs((what: string | undefined, options: PlanOptions) => plan(cli, what, options)));
};

async function plan(cli: CommandLine, what: string | undefined, options: PlanOptions): Promise<ExitCode> {
  const { openSession } = await import("../live/open-session.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { assessTargets } = await import("../targets/assess-targets.ts");
  const live = await openSession(cli, options);
  const { cluster: clusters, values = false } = options;
  const groups = selectBindings(live.index, {
    ...(what !== undefined && { what }),
    ...(clusters && { clusters }),
  });
  const which = {
    mode: values ? ("values" as const) : ("metadata" as const),
    ...(clusters && { clusters }),
    ...(what !== undefined && { groups }),
  };
  const report = await withProgress(cli.terminal, "comparing", () =>
    assessTargets(live, which, startTimeBudget(PLAN_MS_MAX)),
  );
  const { marks } = live.index;
  const targets = report.targets.toSorted(byName);
  const isComplete = targets.every(({ action }) => action !== "unknown");
  const isClean = targets.every((row) => !isChange(row) && row.action !== "refuse");
  const ok = isComplete && (isClean || options.exitCode !== true);
  if (options.json === true)
    printJson(cli, { ...report, targets }, { ok, changes: !isClean, relay: marks.identity });
  else {
    cli.terminal.out(printPlan(cli.terminal, targets, { showsAll: options.all === true, now: cli.now() }));
    for (const remark of [
      ...explainOrphansUnknown(report.orphansUnknown),
      ...identityRemark(targets, marks),
    ]) {
      cli.terminal.say(remark);
    }
  }
  return ok ? EXIT.done : EXIT.failed;
}

const PLAN_MS_MAX = 300_000;

function printJson(
  { terminal }: CommandLine,
  { mode, targets, orphansUnknown }: SweepReport,
  { ok, changes, relay }: { ok: boolean; changes: boolean; relay: string },
): void {
  const summary = countActions(targets);
  terminal.out(JSON.stringify({ ok, relay, mode, changes, summary, targets, orphansUnknown }));
}
