import type { RelayMetadata } from "../../shared/bindings/relay-identity.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { SweepRequest } from "../../shared/sweep/run-sweep.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { writeOutputFile } from "../files.ts";
import { NothingSelected } from "../live/errors.ts";
import {
  addSelectionOptions,
  addViaLambdaOptions,
  parseSeconds,
  type SelectionOptions,
  type ViaLambdaOptions,
} from "../live/options.ts";
import { isFine, printSweep } from "../sweep/print-sweep.ts";
import { remarksOn } from "../targets/explain-row.ts";
import { IN_ORDER_HELP } from "../targets/rows.ts";
import { withProgress } from "../terminal/progress.ts";

type SweepOptions = SelectionOptions &
  ViaLambdaOptions & {
    readonly values?: boolean;
    readonly plan?: boolean;
    readonly inventory?: boolean;
    readonly timeout: string;
    readonly out?: string;
  };

export const addSweep: AddCommand = (program, cli) => {
  const command = defineCommand(program, "sweep", {
    summary: "find and repair drift, as the scheduled sweep does",
    description:
      "Compares every binding with its Secret and repairs the differences. It uses your own permissions, or with --via-lambda the deployed function. A comparison by metadata reads no value until there is something to repair. Only the deployed function deletes Secrets, because a bindings file can be older than the published one.",
    examples: [
      ["secret-relay sweep --plan", "find drift and change nothing"],
      ["secret-relay sweep", "find and repair drift"],
      ["secret-relay sweep --values --cluster prod", "also find edits that managedFields does not show"],
      ["secret-relay sweep --via-lambda --out report.json", "run the deployed function"],
    ],
    note: `Ends with 1 if a Secret is unknown or not in order: after the repair, or with --plan now. ${IN_ORDER_HELP} --json and --out list every Secret, also those in order.`,
  })
    .option("--values", "compare values, not only metadata")
    .option("--plan", "change nothing, and end with 1 if there is something to do")
    .option("--inventory", "also report Secrets that are in order")
    .option("--timeout <seconds>", "stop after this time", "900")
    .option("-o, --out <file>", "write the report to this file, as JSON");
  addViaLambdaOptions(
    addSelectionOptions(command, "print the report; its schema: secret-relay schema report"),
  ).action(cli.runs((options: SweepOptions) => sweep(cli, options)));
};

async function sweep(cli: CommandLine, options: SweepOptions): Promise<ExitCode> {
  const { terminal } = cli;
  const { cluster: clusters, plan = false, values = false, inventory = false, json, out } = options;
  const request: SweepRequest = {
    mode: values ? "values" : "metadata",
    plan,
    ...(clusters && { clusters }),
    // JSON has one row for each Secret, as in plan and status.
    ...((inventory || json === true || out !== undefined) && { inventory: true }),
  };
  const timeoutMs = parseSeconds("--timeout", options.timeout);
  const run = options.viaLambda === true ? sweepThroughFunction : sweepDirectly;
  const { report, ownMetadata } = await withProgress(terminal, plan ? "comparing" : "sweeping", () =>
    run(cli, options, request, timeoutMs),
  );
  if (out !== undefined) await writeOutputFile(cli, out, `${JSON.stringify(report, null, 2)}\n`);
  if (json === true) terminal.out(JSON.stringify(report));
  else {
    terminal.out(printSweep(terminal, report, { showsAll: inventory, now: cli.now() }));
    for (const remark of remarksOn(report, ownMetadata)) terminal.say(remark);
  }
  if (report.bindings + report.shardsQueued === 0) throw new NothingSelected("there");
  return isFine(report) ? EXIT.done : EXIT.failed;
}

/** `ownMetadata` is the identity of this command; absent if the deployed function swept. */
type SweepResult = { readonly report: SweepReport; readonly ownMetadata?: RelayMetadata };

async function sweepDirectly(
  cli: CommandLine,
  options: SweepOptions,
  request: SweepRequest,
  timeoutMs: number,
): Promise<SweepResult> {
  const { openSelection } = await import("../live/open-session.ts");
  const { runSweep } = await import("../../shared/sweep/run-sweep.ts");
  const { assessTargets, sweeperOf } = await import("../targets/assess-targets.ts");
  const { session } = await openSelection(cli, undefined, options, {
    writes: request.plan !== true,
  });
  const { announceWrites } = await import("../live/announce-writes.ts");
  const clusterKeys = options.cluster ?? Object.keys(session.index.clusters);
  if (request.plan !== true) announceWrites(cli, session, clusterKeys);
  const budget = startTimeBudget(timeoutMs);
  const report = request.plan
    ? await assessTargets(session, request, budget)
    : await runSweep(sweeperOf(session, budget), request);
  const { accountId: account, region } = session.aws.location;
  const { generation, relay } = session.rules;
  const stack = generation === undefined ? {} : { stack: options.stackName };
  return {
    report: { ...report, where: { account, region, ...stack, relay } },
    ownMetadata: session.index.ownMetadata,
  };
}

async function sweepThroughFunction(
  cli: CommandLine,
  options: SweepOptions,
  request: SweepRequest,
  timeoutMs: number,
): Promise<SweepResult> {
  const { openAwsSession } = await import("../live/aws-session.ts");
  const { findFunction } = await import("../live/invoke-function.ts");
  const { sweepViaFunction } = await import("../sweep/sweep-via-function.ts");
  const aws = await openAwsSession(options);
  const functionName = await findFunction(aws, "ReconcileFunctionName", options);
  const { announceFunction } = await import("../live/announce-writes.ts");
  if (request.plan !== true) announceFunction(cli, aws, functionName);
  const report = await sweepViaFunction(aws, functionName, request, timeoutMs);
  const { accountId: account, region } = aws.location;
  const stack = options.function === undefined ? { stack: options.stackName } : {};
  return { report: { ...report, where: { account, region, ...stack } } };
}
