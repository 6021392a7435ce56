import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { RelayMarks } from "../../shared/identity/relay-identity.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { SweepRequest } from "../../shared/sweep/run-sweep.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { addViaLambdaOptions, parseTimeout, type ViaLambdaOptions } from "../live/function-options.ts";
import { NothingSelected } from "../live/nothing-selected.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import { isFine, printSweep } from "../sweep/print-sweep.ts";
import { explainOrphansUnknown, identityRemark } from "../targets/explain-row.ts";
import { IN_ORDER_HELP } from "../targets/rows.ts";
import { withProgress } from "../terminal/progress.ts";

type SweepOptions = LiveOptions &
  ViaLambdaOptions & {
    readonly cluster?: readonly string[];
    readonly values?: boolean;
    readonly plan?: boolean;
    readonly inventory?: boolean;
    readonly timeout: string;
    readonly out?: string;
    readonly json?: boolean;
  };

export const addSweep: AddCommand = (program, cli) => {
  const command = program
    .command("sweep")
    .summary("find drift and repair it, as the schedule does")
    .description(
      "Compares every binding with its Secret and repairs what differs: the scheduled sweep, now and from here, or by the deployed function. By metadata it reads no value until it has something to repair. From here it deletes nothing, because the bindings file may be older than what is deployed.",
    )
    .option("--values", "compare the values themselves")
    .option("--plan", "change nothing, and end with 1 when there is anything to do")
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .option("--inventory", "report what is in order, too")
    .addOption(bindingsOption())
    .option("--timeout <seconds>", "stop comparing after so long", "900")
    .option("-o, --out <file>", "write the report there, as JSON")
    .option("--json", "print the report, as `secret-relay schema report` describes it");
  addViaLambdaOptions(addClusterOptions(addAwsOptions(command)))
    .addHelpText(
      "after",
      `${examples(
        ["secret-relay sweep --plan", "what has drifted"],
        ["secret-relay sweep", "and repair it"],
        ["secret-relay sweep --values --cluster prod", "also finds edits that managedFields does not show"],
        ["secret-relay sweep --via-lambda --out report.json", "by the deployed function"],
      )}\n\nEnds with 1 when a Secret is not in order or unknown afterwards; with --plan, when one is not in order or unknown now. ${IN_ORDER_HELP} --json and --out list every Secret, in order or not.`,
    )
    .action(cli.runs((options: SweepOptions) => sweep(cli, options)));
};

async function sweep(cli: CommandLine, options: SweepOptions): Promise<ExitCode> {
  const { terminal } = cli;
  const { cluster: clusters, plan = false, values = false, inventory = false } = options;
  const request: SweepRequest = {
    mode: values ? "values" : "metadata",
    plan,
    ...(clusters && { clusters }),
    // JSON has one row for each Secret, as plan and status have.
    ...((inventory || options.json === true || options.out !== undefined) && { inventory: true }),
  };
  const timeoutMs = parseTimeout(options.timeout);
  const { report, marks } = await withProgress(terminal, plan ? "comparing" : "sweeping", () =>
    options.viaLambda === true
      ? sweepThere(options, request, timeoutMs)
      : sweepHere(cli, options, request, timeoutMs),
  );
  if (options.out !== undefined) await writeReport(cli, options.out, report);
  if (options.json === true) terminal.out(JSON.stringify(report));
  else {
    terminal.out(printSweep(terminal, report, { showsAll: inventory, now: cli.now() }));
    for (const remark of explainOrphansUnknown(report.orphansUnknown)) terminal.say(remark);
    if (marks !== undefined) for (const remark of identityRemark(report.targets, marks)) terminal.say(remark);
  }
  if (report.bindings + report.shardsQueued === 0) throw new NothingSelected("there");
  return isFine(report) ? EXIT.done : EXIT.failed;
}

/** `marks`: the identity that this command acted as; absent when the deployed function did it. */
type Swept = { readonly report: SweepReport; readonly marks?: RelayMarks };

async function sweepHere(
  cli: CommandLine,
  options: SweepOptions,
  request: SweepRequest,
  timeoutMs: number,
): Promise<Swept> {
  const { openLive } = await import("../live/open-live.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { runSweep } = await import("../../shared/sweep/run-sweep.ts");
  const { assessTargets, sweepSettings } = await import("../targets/assess-targets.ts");
  const live = await openLive(cli, options);
  const { clusters, mode, plan } = request;
  selectBindings(live.index, { ...(clusters && { clusters }) }); // refuses a wrong key
  const budget = startTimeBudget(timeoutMs);
  const report = plan
    ? await assessTargets(live, { mode, ...(clusters && { clusters }) }, budget)
    : await runSweep(live, live.index, request, sweepSettings(live, budget));
  return { report, marks: live.index.marks };
}

async function sweepThere(options: SweepOptions, request: SweepRequest, timeoutMs: number): Promise<Swept> {
  const { openAwsSession } = await import("../live/aws-session.ts");
  const { findFunction } = await import("../live/invoke-function.ts");
  const { sweepViaFunction } = await import("../sweep/sweep-via-function.ts");
  const aws = await openAwsSession(options);
  const functionName = await findFunction(aws, "ReconcileFunctionName", options);
  return { report: await sweepViaFunction(aws, functionName, request, timeoutMs) };
}

async function writeReport({ cwd }: CommandLine, file: string, report: SweepReport): Promise<void> {
  try {
    await writeFile(path.resolve(cwd, file), `${JSON.stringify(report, null, 2)}\n`);
  } catch {
    throw new UsageError(`${file} cannot be written. Check the path of --out.`);
  }
}
