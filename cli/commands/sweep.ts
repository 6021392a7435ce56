import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { SweepRequest } from "../../shared/sweep/run-sweep.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { addViaLambdaOptions, parseTimeout, type ViaLambdaOptions } from "../live/function-options.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import { isFine, printSweep, remarksOnSweep } from "../sweep/print-sweep.ts";
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
    .summary("find every drift and repair it, as the schedule does")
    .description(
      "Compares every binding with what is there, repairs what differs, and deletes unbound Secrets that say so: the scheduled sweep, now and from here, or by the deployed function. By metadata it reads no value until it has something to repair.",
    )
    .option("--values", "compare the values themselves")
    .option("--plan", "only look and tell, and end with 1 when there is anything to do")
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .option("--inventory", "report what is in order, too")
    .addOption(bindingsOption())
    .option("--timeout <seconds>", "stop comparing after so long", "900")
    .option("-o, --out <file>", "write the report there, as JSON")
    .option("--json", "print the report, as `secret-relay schema report` describes it");
  addViaLambdaOptions(addClusterOptions(addAwsOptions(command)))
    .addHelpText(
      "after",
      examples(
        ["secret-relay sweep --plan", "what has drifted"],
        ["secret-relay sweep", "and repair it"],
        ["secret-relay sweep --values --cluster prod", "also against somebody who covered up an edit"],
        ["secret-relay sweep --via-lambda --out report.json", "by the deployed function"],
      ),
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
    ...(inventory && { inventory }),
  };
  const timeoutMs = parseTimeout(options.timeout);
  const report = await withProgress(terminal, plan ? "looking" : "sweeping", () =>
    options.viaLambda === true
      ? sweepThere(options, request, timeoutMs)
      : sweepHere(cli, options, request, timeoutMs),
  );
  if (options.out !== undefined) await writeReport(cli, options.out, report);
  if (options.json === true) terminal.out(JSON.stringify(report));
  else {
    terminal.out(printSweep(terminal, report));
    for (const remark of remarksOnSweep(report)) terminal.say(remark);
  }
  return isFine(report) ? EXIT.done : EXIT.failed;
}

async function sweepHere(
  cli: CommandLine,
  options: SweepOptions,
  request: SweepRequest,
  timeoutMs: number,
): Promise<SweepReport> {
  const { openLive } = await import("../live/open-live.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { runSweep } = await import("../../shared/sweep/run-sweep.ts");
  const live = await openLive(cli, options);
  selectBindings(live.index, { ...(request.clusters && { clusters: request.clusters }) }); // tells a wrong key
  return runSweep(live, live.index, request, {
    self: live.aws.home,
    budget: startTimeBudget(timeoutMs),
    shardBindingsMax: Number.POSITIVE_INFINITY, // there is no queue to hand a part to
    deletionsShareMax: DELETIONS_SHARE_MAX,
  });
}

/** As the function has it by default (DeletionsShareMaxPercent of the template). */
const DELETIONS_SHARE_MAX = 0.1;

async function sweepThere(
  options: SweepOptions,
  request: SweepRequest,
  timeoutMs: number,
): Promise<SweepReport> {
  const { openAwsSession } = await import("../live/aws-session.ts");
  const { findFunction } = await import("../live/invoke-function.ts");
  const { sweepViaFunction } = await import("../sweep/sweep-via-function.ts");
  const aws = await openAwsSession(options);
  const functionName = await findFunction(aws, "ReconcileFunctionName", options);
  return sweepViaFunction(aws, functionName, request, timeoutMs);
}

async function writeReport({ cwd }: CommandLine, file: string, report: SweepReport): Promise<void> {
  try {
    await writeFile(path.resolve(cwd, file), `${JSON.stringify(report, null, 2)}\n`);
  } catch {
    throw new UsageError(`${file} cannot be written. Check the path of --out.`);
  }
}
