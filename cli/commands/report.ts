import { readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { text as readAll } from "node:stream/consumers";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { readInputFile } from "../bindings-file.ts";
import type { AddCommand, Cli, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { withProgress } from "../terminal/progress.ts";
import { VERSION } from "../version.ts";

type ReportOptions = {
  readonly from?: readonly string[];
  readonly out: string;
  readonly json?: boolean;
};

export const addReport: AddCommand = (program, cli) => {
  program
    .command("report")
    .summary("write an HTML page about the state of the fleet")
    .description(
      "Writes one HTML page: what is fresh, what is not and why, and what changed over time. It needs no network and holds no value of a secret, so it may be sent around.",
    )
    .option("--from <file...>", "reports of sweeps as JSON, or folders of them; - reads stdin")
    .option("-o, --out <file>", "the page; - prints it", "report.html")
    .option("--json", "print one JSON object about what was written")
    .addHelpText(
      "after",
      examples(
        ["secret-relay report --from report.json", "what one sweep saw"],
        ["secret-relay report --from reports/", "the newest of several, and how it was before"],
      ),
    )
    .action(cli.runs((options: ReportOptions) => report(cli, options)));
};

async function report(cli: CommandLine, { from = [], out, json = false }: ReportOptions) {
  const { terminal } = cli;
  if (json && out === "-") throw new UsageError("--json and --out - both print to stdout. Choose one.");
  if (from.length === 0) {
    throw new UsageError(
      "Say where the page is from: --from FILE with what a sweep answered, such as `secret-relay sweep --plan --inventory --json` or the reconcile function.",
    );
  }
  const { fleetReport } = await import("../report/model.ts");
  const { joinShards } = await import("../report/read-sweeps.ts");
  const { renderPage } = await import("../report/page.ts");
  const page = await withProgress(terminal, "writing the report", async (tell) => {
    const reports = await readReports(cli, from, tell);
    const fleet = fleetReport({ sweeps: joinShards(reports), madeAt: cli.now(), release: VERSION });
    return { fleet, text: renderPage(fleet) };
  });
  if (out === "-") {
    terminal.out(page.text);
    return EXIT.done;
  }
  await writePage(cli, out, page.text);
  const { counts, bindings, sweeps } = page.fleet;
  if (json) {
    const bytes = Buffer.byteLength(page.text);
    terminal.out(JSON.stringify({ ok: true, out, bytes, sweeps: sweeps.length, bindings, counts }));
  } else terminal.out(`${out}: ${bindings} binding(s), ${counts.refused} of them waiting for a person`);
  return EXIT.done;
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
  if (reports.length === 0) throw new UsageError("There is no report in what --from names.");
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
