import { Argument } from "commander";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import { isChange, type PlannedTarget } from "../plan/planned-target.ts";
import { countActions, printPlan } from "../plan/print-plan.ts";
import { withProgress } from "../terminal/progress.ts";

type PlanOptions = LiveOptions & {
  readonly cluster?: readonly string[];
  readonly values?: boolean;
  readonly all?: boolean;
  readonly exitCode?: boolean;
  readonly json?: boolean;
};

export const addPlan: AddCommand = (program, cli) => {
  const command = program
    .command("plan")
    .summary("show what a sync or a sweep would change, by the names of keys")
    .description(
      "Compares the bindings with what is there and changes nothing. By metadata alone it reads no value, and cannot tell whether a new version changes a key; with --values it reads both sides and tells exactly. No value is ever shown.",
    )
    .addArgument(new Argument("[what]", "namespace/name of a Secret, or the name or ARN of a source"))
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .option("--values", "read the values of both sides and compare them")
    .option("--all", "list what is as it should be, too")
    .option("--exit-code", "end with 1 when there is anything to change, or anything refused")
    .addOption(bindingsOption())
    .option("--json", "print one JSON object");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      `${examples(
        ["secret-relay plan", "before a merge: what would this bindings.yaml change"],
        ["secret-relay plan shop/db --values", "exactly, for one Secret"],
        ["secret-relay plan --exit-code", "for CI: 0 only when there is nothing to do"],
      )}\n\nEnds with 1 when something could not be looked at. With --exit-code also when there are changes or refusals; 2 stays for a command line or file that is wrong.`,
    )
    .action(cli.runs((what: string | undefined, options: PlanOptions) => plan(cli, what, options)));
};

async function plan(cli: CommandLine, what: string | undefined, options: PlanOptions): Promise<ExitCode> {
  const { openLive } = await import("../live/open-live.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { planOrphans } = await import("../plan/plan-orphans.ts");
  const live = await openLive(cli, options);
  const { cluster: clusters, values = false } = options;
  const groups = selectBindings(live.index, {
    ...(what !== undefined && { what }),
    ...(clusters && { clusters }),
  });
  const budget = startTimeBudget(PLAN_MS_MAX);
  const { targets, unseenIn } = await withProgress(cli.terminal, "comparing", async () => {
    const [bound, orphans] = await Promise.all([
      values ? exactly() : byMetadata(),
      what === undefined ? planOrphans(live, live.index, clusters, budget) : NO_ORPHANS,
    ]);
    return { targets: [...bound, ...orphans.targets].sort(byName), unseenIn: orphans.unseenIn };
  });

  async function exactly() {
    const { planByValues } = await import("../plan/plan-by-values.ts");
    return planByValues(live, groups, budget);
  }
  async function byMetadata() {
    const { sightBindings } = await import("../live/sight.ts");
    const { planByMetadata } = await import("../plan/plan-by-metadata.ts");
    const now = live.now();
    return (await sightBindings(live, groups, budget)).map((sight) => planByMetadata(sight, now));
  }

  const isComplete = targets.every(({ action }) => action !== "unknown");
  const isClean = targets.every((planned) => !isChange(planned) && planned.action !== "refuse");
  const isFine = isComplete && (isClean || options.exitCode !== true);
  if (options.json === true) {
    const mode = values ? "values" : "metadata";
    const summary = countActions(targets);
    cli.terminal.out(JSON.stringify({ ok: isFine, mode, changes: !isClean, summary, targets, unseenIn }));
  } else {
    cli.terminal.out(printPlan(cli.terminal, targets, { showsLeft: options.all === true }));
    for (const place of unseenIn) {
      cli.terminal.say(`${place}: you may not list Secrets there, so unbound ones are not in this plan.`);
    }
  }
  return isFine ? EXIT.done : EXIT.failed;
}

const PLAN_MS_MAX = 300_000;

const NO_ORPHANS = { targets: [], unseenIn: [] };

const byName = (one: PlannedTarget, other: PlannedTarget): number =>
  nameOfTarget(one.target).localeCompare(nameOfTarget(other.target));
