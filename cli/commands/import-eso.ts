import { access, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { loadBindingsFile } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Checked } from "../import-eso/check-secrets.ts";
import { type Conversions, convertManifests, type ImportOptions } from "../import-eso/convert-manifests.ts";
import type { ReadManifests } from "../import-eso/manifest.ts";
import { NOTES } from "../import-eso/notes.ts";
import { printChecked, printConversions } from "../import-eso/print-import.ts";
import { readManifestFiles } from "../import-eso/read-files.ts";
import { writeBindings } from "../import-eso/write-bindings.ts";
import type { KubeContext } from "../live/choose-context.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";

type Options = Omit<LiveOptions, "bindings"> & {
  readonly live?: boolean;
  readonly check?: boolean;
  readonly bindings?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly assumeStores?: boolean;
  readonly account?: string;
  readonly namespace?: string;
  readonly cluster: string;
  readonly clusterName?: string;
  readonly json?: boolean;
};

export const addImportEso: AddCommand = (program, cli) => {
  const command = program
    .command("import-eso")
    .summary("make bindings of ExternalSecrets, or say why not")
    .description(
      "Makes bindings.yaml of ExternalSecrets, ClusterExternalSecrets and their stores: from files and folders, or from a cluster. What has no equal is listed with its place and the reason, and is not converted, not even in part. Ends with 1 when anything was not.",
    )
    .argument("[paths...]", "manifests: files, or folders of them")
    .option("--live", "read them from the cluster of the kubeconfig context")
    .option("--check", "compare each Secret that is there with the one that its binding makes, key by key")
    .option("--bindings <file>", "with --check, and in place of manifests: the bindings to check")
    .option("--out <file>", "write the bindings there, and not on stdout")
    .option("--force", "write over a file that is there")
    .option(
      "--assume-stores",
      "take a store that is not given for AWS Secrets Manager where the functions run",
    )
    .option("--account <id>", "the account of the functions")
    .option("--namespace <name>", "of manifests that name none; with --live, read that one only")
    .option("--cluster <key>", "what the bindings call the cluster", "prod")
    .option("--cluster-name <name>", "its name in EKS (default: that of the context, or the key)")
    .option("--json", "print one JSON object");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      examples(
        ["secret-relay import-eso manifests/ --out bindings.yaml", "from the files of a repository"],
        ["secret-relay import-eso --live --context prod --check", "from a cluster, and compare"],
        ["secret-relay import-eso --check --bindings bindings.yaml", "compare after editing"],
      ),
    )
    .action(cli.runs((paths: string[], options: Options) => importEso(cli, paths, options)));
};

async function importEso(cli: CommandLine, paths: readonly string[], options: Options): Promise<ExitCode> {
  checkMeaning(paths, options);
  if (options.bindings !== undefined)
    return checkBindings(cli, await loadBindingsFile(cli, options.bindings), options);
  const { read, context } = await readAll(cli, paths, options);
  const settings = settingsOf(options, read, context);
  const conversions = convertManifests(read.manifests, settings);
  if (conversions.converted.length + conversions.notConverted.length + read.problems.length === 0) {
    throw new UsageError("There is no ExternalSecret and no ClusterExternalSecret in what was given.");
  }
  const text = writeBindings(conversions.converted, settings);
  if (options.out !== undefined) await write(cli, options.out, text, options.force === true);
  const checked =
    options.check === true && conversions.converted.length > 0
      ? await check(cli, loadBindings(text, "bindings.yaml"), options)
      : undefined;
  print(cli, { conversions, read, text, checked }, options);
  if (options.check === true && checked === undefined) cli.terminal.say(NOTHING_COMPARED);
  const isWhole = conversions.notConverted.length === 0 && read.problems.length === 0;
  const isChecked = options.check !== true || areFine(checked ?? []);
  return isWhole && isChecked ? EXIT.done : EXIT.failed;
}

function checkMeaning(
  paths: readonly string[],
  { live, check, bindings, out, force, account }: Options,
): void {
  const problems = [
    ...(bindings !== undefined && check !== true ? ["--bindings is for --check"] : []),
    ...(bindings !== undefined && (live === true || paths.length > 0)
      ? ["--bindings stands in place of manifests, and not beside them"]
      : []),
    ...(bindings === undefined && live !== true && paths.length === 0
      ? ["say which manifests: files, folders, or --live"]
      : []),
    ...(live === true && paths.length > 0 ? ["give paths or --live, not both"] : []),
    ...(force === true && out === undefined ? ["--force is for --out"] : []),
    ...(account !== undefined && !/^[0-9]{12}$/.test(account) ? ["--account is twelve digits"] : []),
  ];
  if (problems.length > 0)
    throw new UsageError(`This cannot be: ${problems.join("; ")}. See import-eso --help.`);
}

async function readAll(
  cli: CommandLine,
  paths: readonly string[],
  options: Options,
): Promise<{ read: ReadManifests; context?: KubeContext }> {
  if (options.live !== true) return { read: await readManifestFiles(cli.cwd, paths) };
  const { openContext } = await import("../live/open-context.ts");
  const { readLiveManifests } = await import("../import-eso/read-live.ts");
  const { connection, context } = await openContext(cli, options);
  const manifests = await withProgress(cli.terminal, "reading the cluster", () =>
    readLiveManifests(connection, {
      key: context.name,
      ...(options.namespace !== undefined && { namespace: options.namespace }),
      budget: startTimeBudget(READ_MS_MAX),
    }),
  );
  return { read: { manifests, problems: [] }, context };
}

const READ_MS_MAX = 120_000;

/** `aws eks update-kubeconfig` names a context after the cluster's ARN, which tells three things at once. */
function settingsOf(
  options: Options,
  { manifests }: ReadManifests,
  context: KubeContext | undefined,
): ImportOptions {
  const arn = /^arn:[a-z-]+:eks:([a-z0-9-]+):([0-9]{12}):cluster\/(.+)$/.exec(context?.clusterName ?? "");
  const [, region, accountId, name] = arn ?? [];
  const homeRegion = options.region ?? region;
  const account = options.account ?? accountId;
  const ofStores = manifests.flatMap(({ object }) => regionIn(object));
  return {
    cluster: {
      key: options.cluster,
      name: options.clusterName ?? name ?? options.cluster,
      region: region ?? options.region ?? ofStores[0] ?? "eu-west-1",
    },
    home: {
      ...(homeRegion !== undefined && { region: homeRegion }),
      ...(account !== undefined && { accountId: account }),
    },
    assumeStores: options.assumeStores === true,
    namespace: options.namespace ?? "default",
  };
}

function regionIn(object: unknown): string[] {
  const spec = (object as { spec?: { provider?: { aws?: { region?: unknown } } } }).spec;
  const region = spec?.provider?.aws?.region;
  return typeof region === "string" ? [region] : [];
}

async function checkBindings(
  cli: CommandLine,
  bindings: CompiledBindings,
  options: Options,
): Promise<ExitCode> {
  const checked = await check(cli, bindings, options);
  const ok = areFine(checked);
  if (options.json === true) cli.terminal.out(JSON.stringify({ ok, checked }));
  else tellChecked(cli, checked);
  if (checked.length === 0) cli.terminal.say(NOTHING_COMPARED);
  return ok ? EXIT.done : EXIT.failed;
}

async function check(cli: CommandLine, bindings: CompiledBindings, options: Options): Promise<Checked[]> {
  if (bindings.bindings.length === 0) return []; // needs no AWS session
  const { openLiveWith } = await import("../live/open-live.ts");
  const { checkSecrets } = await import("../import-eso/check-secrets.ts");
  return withProgress(cli.terminal, "comparing", async (tell) => {
    const live = await openLiveWith(cli, options, bindings);
    return checkSecrets(live, startTimeBudget(CHECK_MS_MAX), tell);
  });
}

const CHECK_MS_MAX = 600_000;

const areFine = (checked: readonly Checked[]): boolean =>
  checked.length > 0 && checked.every(({ is }) => is === "same" || is === "absent");

const NOTHING_COMPARED = "Nothing was compared: there is no binding to check.";

type Imported = {
  readonly conversions: Conversions;
  readonly read: ReadManifests;
  readonly text: string;
  readonly checked: readonly Checked[] | undefined;
};

function print(cli: CommandLine, { conversions, read, text, checked }: Imported, options: Options): void {
  const { terminal } = cli;
  const { converted, notConverted, covered } = conversions;
  if (options.json === true) {
    terminal.out(
      JSON.stringify({
        ok:
          notConverted.length === 0 &&
          read.problems.length === 0 &&
          (options.check !== true || areFine(checked ?? [])),
        converted: converted.map(({ file, resource, entry, notes }) => ({
          file,
          resource,
          binding: entry,
          notes: notes.map((code) => ({ code, ...NOTES[code] })),
        })),
        notConverted,
        notRead: read.problems,
        covered,
        ...(checked !== undefined && { checked }),
      }),
    );
    return;
  }
  if (options.out === undefined && checked === undefined && converted.length > 0)
    terminal.out(text.trimEnd());
  terminal.say(printConversions(terminal, conversions, read.problems));
  if (options.out !== undefined) terminal.say(`wrote ${options.out}`);
  if (checked !== undefined) tellChecked(cli, checked);
}

function tellChecked({ terminal }: CommandLine, checked: readonly Checked[]): void {
  if (checked.length > 0) terminal.out(printChecked(terminal, checked));
  for (const one of checked) {
    const { target, is, code, advice } = one;
    if (is !== "same" && code !== undefined)
      terminal.say(`${nameOfTarget(target)}: ${code}: ${advice ?? ""}`);
  }
}

async function write(cli: CommandLine, file: string, text: string, force: boolean): Promise<void> {
  const place = path.resolve(cli.cwd, file);
  const isThere = await access(place).then(
    () => true,
    () => false,
  );
  if (isThere && !force) throw new UsageError(`${file} is there already. Name another file, or add --force.`);
  await writeFile(place, text).catch(() => {
    throw new UsageError(`${file} cannot be written. Check the path.`);
  });
}
