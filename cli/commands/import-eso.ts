import { access, readFile } from "node:fs/promises";
import path from "node:path";
import type { CompiledBindings, TargetRef } from "../../shared/bindings/binding.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { isExampleFile, loadBindingsFile } from "../bindings-file.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import { writeOutputFile } from "../files.ts";
import type { SecretCheck } from "../import-eso/check-secrets.ts";
import type { ImportOptions } from "../import-eso/convert-manifests.ts";
import type { ReadManifests } from "../import-eso/manifest.ts";
import { NOTES, type NoteCode } from "../import-eso/notes.ts";
import {
  notesByTarget,
  printChecks,
  printConversions,
  printNextSteps,
  settledNote,
} from "../import-eso/print-import.ts";
import type { KubeContext } from "../live/choose-context.ts";
import { addAwsOptions, addClusterOptions, type ClusterOptions } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";

type Options = ClusterOptions & {
  readonly live?: boolean;
  readonly check?: boolean;
  readonly bindings?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly assumeStores?: boolean;
  readonly expandFind?: boolean;
  readonly account?: string;
  readonly namespace?: string;
  readonly cluster: string;
  readonly clusterName?: string;
  readonly json?: boolean;
};

export const addImportEso: AddCommand = (program, cli) => {
  const command = defineCommand(program, "import-eso", {
    summary: "convert ExternalSecrets to bindings",
    description:
      "Converts ExternalSecrets, ClusterExternalSecrets and their stores to bindings.yaml. It reads manifests from files and folders, or from a cluster. An object with a setting that the relay does not support is not converted, not even in part; the output lists the field and the reason.",
    examples: [
      ["secret-relay import-eso manifests/ --out bindings.yaml", "convert the files of a repository"],
      ["secret-relay import-eso --live --context prod --check", "convert from a cluster, and compare"],
      ["secret-relay import-eso --check --bindings bindings.yaml", "compare again after an edit"],
      [
        "secret-relay import-eso manifests/ --expand-find --out bindings.yaml",
        "bind the secrets that find matches today",
      ],
    ],
    note: "Ends with 1 if an object is not converted, or with --check if a Secret differs from its binding or nothing was compared.",
  })
    .argument("[paths...]", "manifests: files or folders")
    .option("--live", "read the manifests from the cluster of the kubeconfig context")
    .option("--check", "compare each Secret with its binding, key by key, and show its step of the takeover")
    .option("--bindings <file>", "with --check: compare these bindings instead of manifests")
    .option("--out <file>", "write the bindings to this file instead of stdout")
    .option("--force", "overwrite an existing file that is not the example of the repository")
    .option("--assume-stores", "treat a missing store as AWS Secrets Manager in the Region of the functions")
    .option(
      "--expand-find",
      "replace each find by the secrets that it matches today; you need secretsmanager:ListSecrets",
    )
    .option("--account <id>", "the account of the functions")
    .option("--namespace <name>", "the namespace of manifests without one; with --live, read only this one")
    .option("--cluster <key>", "the key of the cluster in the bindings", "prod")
    .option("--cluster-name <name>", "its name in EKS (default: the name in the context, or the key)")
    .option("--json", "print the result as one JSON object");
  addClusterOptions(addAwsOptions(command)).action(
    cli.runs((paths: string[], options: Options) => importEso(cli, paths, options)),
  );
};

async function importEso(cli: CommandLine, paths: readonly string[], options: Options): Promise<ExitCode> {
  checkOptions(paths, options);
  if (options.bindings !== undefined) {
    const checked = await check(cli, await loadBindingsFile(cli, options.bindings), options, () => []);
    if (checked.length === 0) cli.terminal.say("Nothing was compared, because the bindings are empty.");
    sayIfAllAbsent(cli, options, checked);
    return finish(cli, options, { ok: allMatch(checked), checked }, () => printAll(cli, checked));
  }
  const { terminal } = cli;
  const { read, context } = await readAll(cli, paths, options);
  const settings = await withFinds(cli, read, settingsOf(options, read, context), options);
  const { convertManifests } = await import("../import-eso/convert-manifests.ts");
  const conversions = convertManifests(read.manifests, settings);
  const { converted, notConverted, covered } = conversions;
  if (converted.length + notConverted.length + read.problems.length === 0) {
    throw new UsageError("The manifests contain no ExternalSecret or ClusterExternalSecret.");
  }
  const { writeBindings } = await import("../import-eso/write-bindings.ts");
  const text = writeBindings(converted, settings);
  const { loadBindings } = await import("../../shared/bindings/load-bindings.ts");
  if (options.out !== undefined) await write(cli, options.out, text, options.force === true);
  const wantsCheck = options.check === true;
  const checked =
    wantsCheck && converted.length > 0
      ? await check(cli, loadBindings(text, "bindings.yaml"), options, notesByTarget(converted))
      : undefined;
  const result = {
    ok: notConverted.length === 0 && read.problems.length === 0 && (!wantsCheck || allMatch(checked ?? [])),
    converted: converted.map(({ file, resource, entry, notes }) => ({
      file,
      resource,
      binding: entry,
      notes: notes.map((code) => ({ code, ...NOTES[code], ...settledNote(code, entry.targets, checked) })),
    })),
    notConverted,
    notRead: read.problems,
    covered,
    checked,
  };
  const exitCode = finish(cli, options, result, () => {
    if (options.out === undefined && checked === undefined && converted.length > 0)
      terminal.out(text.trimEnd());
    terminal.say(printConversions(terminal, conversions, read.problems, checked));
    if (options.out !== undefined) terminal.say(`wrote ${options.out}`);
    if (checked !== undefined) printAll(cli, checked);
  });
  if (wantsCheck && checked === undefined) {
    terminal.say("Nothing was compared, because no manifest was converted. Correct what is named above.");
  }
  sayIfAllAbsent(cli, options, checked ?? []);
  return exitCode;
}

function checkOptions(
  paths: readonly string[],
  { live, check, bindings, out, force, account, expandFind }: Options,
): void {
  const hasManifests = live === true || paths.length > 0;
  const problems = [
    ...(bindings !== undefined && check !== true ? ["--bindings needs --check"] : []),
    ...(bindings !== undefined && hasManifests ? ["use either --bindings or manifests"] : []),
    ...(bindings === undefined && !hasManifests ? ["name manifest files or folders, or use --live"] : []),
    ...(live === true && paths.length > 0 ? ["use either paths or --live"] : []),
    ...(bindings !== undefined && expandFind === true ? ["--expand-find needs manifests"] : []),
    ...(force === true && out === undefined ? ["--force needs --out"] : []),
    ...(account !== undefined && !/^[0-9]{12}$/.test(account) ? ["--account must have twelve digits"] : []),
  ];
  if (problems.length > 0)
    throw new UsageError(`The options are wrong: ${problems.join("; ")}. See import-eso --help.`);
}

async function readAll(
  cli: CommandLine,
  paths: readonly string[],
  options: Options,
): Promise<{ read: ReadManifests; context?: KubeContext }> {
  if (options.live !== true) {
    const { readManifestFiles } = await import("../import-eso/read-files.ts");
    return { read: await readManifestFiles(cli, paths) };
  }
  const { openContext } = await import("../live/open-context.ts");
  const { readLiveManifests } = await import("../import-eso/read-live.ts");
  const { connection, context } = await openContext(cli, options);
  const { namespace } = options;
  const manifests = await withProgress(cli.terminal, "reading the cluster", () =>
    readLiveManifests(connection, { key: context.name, namespace, budget: startTimeBudget(READ_MS_MAX) }),
  );
  return { read: { manifests, problems: [] }, context };
}

const READ_MS_MAX = 120_000;

/** `aws eks update-kubeconfig` names a context after the cluster's ARN, which contains Region, account and name. */
function settingsOf(
  options: Options,
  { manifests }: ReadManifests,
  context: KubeContext | undefined,
): ImportOptions {
  const arn = /^arn:[a-z-]+:eks:([a-z0-9-]+):([0-9]{12}):cluster\/(.+)$/.exec(context?.clusterName ?? "");
  const [, region, accountId, name] = arn ?? [];
  const storeRegions = manifests.flatMap(({ object }) => regionIn(object));
  return {
    cluster: {
      key: options.cluster,
      name: options.clusterName ?? name ?? options.cluster,
      region: region ?? options.region ?? storeRegions[0] ?? "eu-west-1",
    },
    location: {
      region: options.region ?? region,
      accountId: options.account ?? accountId,
      isAccountStated: options.account !== undefined,
    },
    assumeStores: options.assumeStores === true,
    namespace: options.namespace ?? "default",
  };
}

/** With --expand-find: asks AWS which secrets each `find` matches. */
async function withFinds(
  cli: CommandLine,
  { manifests }: ReadManifests,
  settings: ImportOptions,
  options: Options,
): Promise<ImportOptions> {
  if (options.expandFind !== true) return settings;
  const { askFinds, findQueriesIn } = await import("../import-eso/expand-finds.ts");
  const queries = findQueriesIn(manifests, settings);
  if (queries.length === 0) return { ...settings, found: () => undefined };
  const region = options.region ?? queries.find((query) => query.region !== undefined)?.region;
  const { openAwsSession } = await import("../live/aws-session.ts");
  const aws = await openAwsSession({ ...options, ...(region !== undefined && { region }) });
  const found = await withProgress(cli.terminal, "listing secrets", () => askFinds(queries, aws));
  return { ...settings, found };
}

function regionIn(object: unknown): string[] {
  const { spec } = object as { spec?: { provider?: { aws?: { region?: unknown } } } };
  const region = spec?.provider?.aws?.region;
  return typeof region === "string" ? [region] : [];
}

async function check(
  cli: CommandLine,
  bindings: CompiledBindings,
  options: Options,
  notesOf: (target: TargetRef) => readonly NoteCode[],
): Promise<SecretCheck[]> {
  if (bindings.bindings.length === 0) return []; // needs no AWS session
  const { openAwsSession } = await import("../live/aws-session.ts");
  const { openSessionWith } = await import("../live/open-session.ts");
  const { rulesOfFile } = await import("../../shared/bindings/published/rules.ts");
  const { checkSecrets } = await import("../import-eso/check-secrets.ts");
  return withProgress(cli.terminal, "comparing", async (reportProgress) => {
    const loaded = { compiled: bindings, rules: rulesOfFile(bindings).rules };
    const aws = await openAwsSession(options);
    const session = await openSessionWith(cli, options, loaded, aws);
    const { publishedTargets } = await import("../import-eso/published-targets.ts");
    const isPublished = publishedTargets(cli, aws);
    return checkSecrets({ ...session, isPublished }, startTimeBudget(CHECK_MS_MAX), reportProgress, notesOf);
  });
}

const CHECK_MS_MAX = 600_000;

/** An absent Secret is not compared, so it counts neither for nor against the bindings. */
const allMatch = (checked: readonly SecretCheck[]): boolean =>
  checked.some(({ is }) => is === "same") && checked.every(({ is }) => is === "same" || is === "absent");

function sayIfAllAbsent(
  { terminal }: CommandLine,
  { context }: Options,
  checked: readonly SecretCheck[],
): void {
  if (checked.length === 0 || checked.some(({ is }) => is !== "absent")) return;
  const namesOf = (field: "cluster" | "namespace") =>
    [...new Set(checked.map(({ target }) => target[field]))].join(", ");
  const where = `namespace ${namesOf("namespace")} of cluster ${namesOf("cluster")}`;
  const advice = context === undefined ? "select the context with --context" : `the context ${context}`;
  terminal.say(
    `Nothing was compared, because no Secret of the bindings exists in ${where}. Check the namespace, and ${advice}.`,
  );
}

function printAll({ terminal }: CommandLine, checked: readonly SecretCheck[]): void {
  if (checked.length > 0) terminal.out(printChecks(terminal, checked));
  for (const { target, is, code, advice = "" } of checked) {
    if (is !== "same" && code !== undefined) terminal.say(`${nameOfTarget(target)}: ${code}: ${advice}`);
  }
  const next = printNextSteps(terminal, checked);
  if (next !== undefined) terminal.say(next);
}

async function write(cli: CommandLine, file: string, text: string, force: boolean): Promise<void> {
  const resolved = path.resolve(cli.cwd, file);
  const exists = await access(resolved).then(
    () => true,
    () => false,
  );
  const isExample = await readFile(resolved, "utf8").then(isExampleFile, () => false);
  if (exists && !isExample && !force)
    throw new UsageError(`${file} already exists. Name another file, or add --force.`);
  await writeOutputFile(cli, file, text);
}
