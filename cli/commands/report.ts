import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { text as readAll } from "node:stream/consumers";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { type AddCommand, type Cli, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { CommandError, UsageError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { readInputFile, writeOutputFile } from "../files.ts";
import { type AwsOptions, addAwsOptions, addStackOption } from "../live/options.ts";
import { type ReportProgress, withProgress } from "../terminal/progress.ts";
import { VERSION } from "../version.ts";

type ReportOptions = AwsOptions & {
  readonly from?: readonly string[];
  readonly cloudwatch?: boolean;
  readonly stackName: string;
  readonly metricsNamespace: string;
  readonly hours: string;
  readonly out: string;
  readonly json?: boolean;
};

export const addReport: AddCommand = (program, cli) => {
  const command = defineCommand(program, "report", {
    summary: "write an HTML report about the fleet",
    description:
      "Writes one HTML page with the fresh Secrets, the problems and their causes, and the trend over time. The page needs no network and contains no secret value, so you can share it.",
    examples: [
      ["secret-relay sweep --plan --inventory --out report.json", "collect the data, with Secrets in order"],
      ["secret-relay report --from report.json", "a page about this sweep"],
      ["secret-relay report --from reports/", "the newest of several sweeps, with the trend"],
      ["secret-relay report --cloudwatch --hours 168", "the newest sweep, and metrics of a week"],
    ],
  })
    .option("--from <file...>", "sweep reports as JSON, or folders of them; - reads stdin")
    .option(
      "--cloudwatch",
      "read the metrics of the stack and, without --from, its newest sweep, if you have the permissions",
    )
    .option("--hours <number>", "the time range that is read from CloudWatch", "24")
    .option("--metrics-namespace <name>", "the parameter MetricsNamespace of the stack", "SecretRelay")
    .option("-o, --out <file>", "the page to write; - prints it", "report.html")
    .option("--json", "print one JSON object about the written page");
  addAwsOptions(addStackOption(command)).action(cli.runs((options: ReportOptions) => report(cli, options)));
};

async function report(cli: CommandLine, options: ReportOptions) {
  const { from = [], cloudwatch = false, out, json = false } = options;
  const { terminal } = cli;
  const hours = parseHours(options.hours);
  if (json && out === "-") throw new UsageError("--json and --out - both print to stdout. Choose one.");
  if (from.length === 0 && !cloudwatch) {
    throw new UsageError(
      "No data was given. Use --from FILE with a sweep report (`secret-relay sweep --plan --inventory --out report.json`), or --cloudwatch.",
    );
  }
  const { fleetReport } = await import("../report/model.ts");
  const { joinShards } = await import("../report/read-sweeps.ts");
  const { renderPage } = await import("../report/page.ts");
  const { fleet, text } = await withProgress(terminal, "writing the report", async (reportProgress) => {
    const madeAt = cli.now();
    const reports = await readReports(cli, from, reportProgress);
    if (cloudwatch) reportProgress("CloudWatch");
    const fromCloudWatch = cloudwatch
      ? await readFromCloudWatch(options, { to: madeAt, hours, wantsSweep: from.length === 0 })
      : { sweeps: [], missing: [] };
    const sweeps = joinShards([...reports, ...fromCloudWatch.sweeps]);
    if (sweeps.length === 0) throw new NoSweep(fromCloudWatch.missing);
    const fleet = fleetReport({ ...fromCloudWatch, sweeps, madeAt, release: VERSION });
    return { fleet, text: renderPage(fleet) };
  });
  if (out === "-") {
    terminal.out(text);
    return EXIT.done;
  }
  await writeOutputFile(cli, out, text);
  const { counts, bindings, sweeps, missing } = fleet;
  for (const message of missing) terminal.say(message);
  const bytes = Buffer.byteLength(text);
  return finish(
    cli,
    options,
    { ok: true, out, bytes, sweeps: sweeps.length, bindings, counts, missing },
    () => terminal.out(`${out}: ${bindings} binding(s), ${counts.refused} refused`),
  );
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (Number.isFinite(hours) && hours >= 1 && hours <= HOURS_MAX) return hours;
  throw new UsageError(`--hours must be between 1 and ${HOURS_MAX}.`);
}

/** CloudWatch keeps five-minute points for 63 days. */
const HOURS_MAX = 1_512;

/** The reports and CloudWatch contain no sweep. */
export class NoSweep extends CommandError {
  readonly code = "NO_SWEEP";
  constructor(missing: readonly string[]) {
    super([...missing, "No sweep was found. Increase --hours, or pass a report with --from."].join(" "));
  }
}

async function readFromCloudWatch(
  { stackName, metricsNamespace, ...options }: ReportOptions,
  { to, hours, wantsSweep }: { to: number; hours: number; wantsSweep: boolean },
) {
  const { openAwsSession } = await import("../live/aws-session.ts");
  const { readStack } = await import("../live/stack.ts");
  const { readCloudWatch } = await import("../cloudwatch/read-cloudwatch.ts");
  const aws = await openAwsSession(options);
  const stack = wantsSweep ? await readStack(aws, stackName) : undefined;
  const logGroup = stack?.outputs.ReconcileLogGroupName;
  const { accountId: account, region } = aws.location;
  const relay = stack?.parameters.RelayName;
  const where = { account, region, stack: stackName, ...(relay && { relay }) };
  const range = { namespace: metricsNamespace, from: to - hours * 3_600_000, to };
  const found = await readCloudWatch(aws, { ...range, logGroup });
  return { ...found, sweeps: found.sweeps.map((report) => ({ ...report, where })) };
}

async function readReports(
  cli: Cli,
  from: readonly string[],
  reportProgress: ReportProgress,
): Promise<SweepReport[]> {
  const { parseSweeps } = await import("../report/read-sweeps.ts");
  const reports: SweepReport[] = [];
  for (const file of (await Promise.all(from.map((one) => filesOf(cli, one)))).flat()) {
    reportProgress(file);
    const text = file === "-" ? await readAll(process.stdin) : await readInputFile(cli, file);
    reports.push(...parseSweeps(text, file === "-" ? "stdin" : file));
  }
  if (from.length > 0 && reports.length === 0) {
    throw new UsageError("The files of --from contain no sweep report.");
  }
  return reports;
}

/** In a folder, only the files with the extension of a report. */
async function filesOf({ cwd }: Cli, name: string): Promise<string[]> {
  if (name === "-") return [name];
  const isFolder = await stat(path.resolve(cwd, name)).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [name];
  const names = await readdir(path.resolve(cwd, name));
  return names
    .filter((file) => /\.(json|jsonl|ndjson)$/.test(file))
    .sort()
    .map((file) => path.join(name, file));
}
