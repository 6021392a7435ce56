import { readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { text as readAll } from "node:stream/consumers";
import { Option } from "commander";
import { RelayError } from "../../shared/relay-error.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { readInputFile } from "../bindings-file.ts";
import type { AddCommand, Cli, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { addStackOption } from "../live/function-options.ts";
import { addAwsOptions } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";
import { VERSION } from "../version.ts";

type ReportOptions = {
  readonly from?: readonly string[];
  readonly cloudwatch?: boolean;
  readonly stackName: string;
  readonly metricsNamespace: string;
  readonly hours: string;
  readonly profile?: string;
  readonly region?: string;
  readonly out: string;
  readonly json?: boolean;
};

export const addReport: AddCommand = (program, cli) => {
  const command = program
    .command("report")
    .summary("write an HTML page about the state of the fleet")
    .description(
      "Writes one HTML page: what is fresh, what is not and why, and what changed over time. It needs no network and holds no value of a secret, so it may be sent around.",
    )
    .option("--from <file...>", "reports of sweeps as JSON, or folders of them; - reads stdin")
    .option(
      "--cloudwatch",
      "the stack's metrics, and without --from its newest sweep, as far as you may read them",
    )
    .option("--hours <number>", "how far back CloudWatch is read", "24")
    .addOption(
      new Option("--metrics-namespace <name>", "the stack's parameter MetricsNamespace").default(
        "SecretRelay",
      ),
    )
    .option("-o, --out <file>", "the page; - prints it", "report.html")
    .option("--json", "print one JSON object about what was written");
  addAwsOptions(addStackOption(command))
    .addHelpText(
      "after",
      examples(
        ["secret-relay sweep --plan --inventory --out report.json", "look, and name what is in order too"],
        ["secret-relay report --from report.json", "a page about what that sweep saw"],
        ["secret-relay report --from reports/", "the newest of several, and how it was before"],
        ["secret-relay report --cloudwatch --hours 168", "the newest sweep, and a week of metrics"],
      ),
    )
    .action(cli.runs((options: ReportOptions) => report(cli, options)));
};

async function report(cli: CommandLine, options: ReportOptions) {
  const { from = [], cloudwatch = false, out, json = false } = options;
  const { terminal } = cli;
  const hours = parseHours(options.hours);
  if (json && out === "-") throw new UsageError("--json and --out - both print to stdout. Choose one.");
  if (from.length === 0 && !cloudwatch) {
    throw new UsageError(
      "Say where the page is from: --from FILE with what a sweep answered, such as `secret-relay sweep --plan --inventory --out report.json`, or --cloudwatch.",
    );
  }
  const { fleetReport } = await import("../report/model.ts");
  const { joinShards } = await import("../report/read-sweeps.ts");
  const { renderPage } = await import("../report/page.ts");
  const { fleet, text } = await withProgress(terminal, "writing the report", async (tell) => {
    const madeAt = cli.now();
    const reports = await readReports(cli, from, tell);
    if (cloudwatch) tell("CloudWatch");
    const more = cloudwatch
      ? await readFromCloudWatch(options, { to: madeAt, hours, wantsSweep: from.length === 0 })
      : { sweeps: [], missing: [] };
    const sweeps = joinShards([...reports, ...more.sweeps]);
    if (sweeps.length === 0) throw new NoSweep(more.missing);
    const fleet = fleetReport({ ...more, sweeps, madeAt, release: VERSION });
    return { fleet, text: renderPage(fleet) };
  });
  if (out === "-") {
    terminal.out(text);
    return EXIT.done;
  }
  await writePage(cli, out, text);
  for (const what of fleet.missing) terminal.say(what);
  const { counts, bindings, sweeps, missing } = fleet;
  if (json) {
    const bytes = Buffer.byteLength(text);
    terminal.out(JSON.stringify({ ok: true, out, bytes, sweeps: sweeps.length, bindings, counts, missing }));
  } else terminal.out(`${out}: ${bindings} binding(s), ${counts.refused} of them waiting for a person`);
  return EXIT.done;
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (Number.isFinite(hours) && hours >= 1 && hours <= HOURS_MAX) return hours;
  throw new UsageError(`${text} is no number of hours from 1 to ${HOURS_MAX}. Correct --hours.`);
}

/** CloudWatch keeps five-minute points for 63 days. */
const HOURS_MAX = 1_512;

/** There was a place to look, and no sweep in it. */
export class NoSweep extends RelayError {
  override readonly name = "NoSweep";
  readonly code = "NO_SWEEP";
  readonly retryable = false;
  constructor(missing: readonly string[]) {
    super(
      [...missing, "No sweep was found. Look further back with --hours, or give a report with --from."].join(
        " ",
      ),
    );
  }
}

async function readFromCloudWatch(
  { stackName, metricsNamespace, ...options }: ReportOptions,
  { to, hours, wantsSweep }: { to: number; hours: number; wantsSweep: boolean },
) {
  const { openAwsSession } = await import("../live/aws-session.ts");
  const { readStackOutputs } = await import("../live/stack.ts");
  const { readCloudWatch } = await import("../cloudwatch/read-cloudwatch.ts");
  const aws = await openAwsSession(options);
  const logGroup = wantsSweep ? (await readStackOutputs(aws, stackName)).ReconcileLogGroupName : undefined;
  return readCloudWatch(aws, {
    namespace: metricsNamespace,
    from: to - hours * 3_600_000,
    to,
    ...(wantsSweep && { sweepsFrom: { logGroup } }),
  });
}

async function readReports(
  cli: Cli,
  from: readonly string[],
  tell: (what: string) => void,
): Promise<SweepReport[]> {
  const { parseSweeps } = await import("../report/read-sweeps.ts");
  const reports: SweepReport[] = [];
  for (const file of (await Promise.all(from.map((one) => filesOf(cli, one)))).flat()) {
    tell(file);
    const text = file === "-" ? await readAll(process.stdin) : await readInputFile(cli, file);
    reports.push(...parseSweeps(text, file === "-" ? "stdin" : file));
  }
  if (from.length > 0 && reports.length === 0) {
    throw new UsageError("There is no report in what --from names.");
  }
  return reports;
}

/** Of a folder, what ends like a report; anything else may lie there too. */
async function filesOf({ cwd }: Cli, name: string): Promise<string[]> {
  if (name === "-") return [name];
  const isFolder = await stat(path.resolve(cwd, name)).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [name];
  const inside = await readdir(path.resolve(cwd, name));
  return inside
    .filter((file) => /\.(json|jsonl|ndjson)$/.test(file))
    .sort()
    .map((file) => path.join(name, file));
}

async function writePage({ cwd }: Cli, out: string, text: string): Promise<void> {
  try {
    await writeFile(path.resolve(cwd, out), text);
  } catch {
    throw new UsageError(`${out} cannot be written. Check that its folder is there.`);
  }
}
