import { readFile } from "node:fs/promises";
import path from "node:path";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import { isExampleFile } from "../bindings-file.ts";
import type { Cli } from "../cli.ts";
import { toRelayError, UsageError } from "../errors.ts";
import { writeOutputFile } from "../files.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { loadFile } from "../live/load-bindings.ts";
import { openSources, type Session } from "../live/open-session.ts";
import type { AwsOptions } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";
import { isCanaryName } from "../verify/canary.ts";
import type { Questions } from "./ask.ts";
import { findTargetProblem } from "./check-target.ts";
import { findClusters, findSecrets } from "./find-in-account.ts";
import { type Bind, canaryFor, initFiles, parseBind, samConfigFor, suggestSecretName } from "./init-files.ts";

export type InitOptions = AwsOptions & {
  readonly cluster?: readonly string[];
  readonly bind?: readonly string[];
  readonly prefix?: string;
  readonly canary?: boolean;
  readonly force?: boolean;
};

export type InitResult = {
  /** Without bindings.yaml if the operator's own was used as it is. */
  readonly files: readonly string[];
  readonly clusters: readonly string[];
  readonly binds: readonly Bind[];
  readonly canary?: InitCanary;
};

/** `isMissing`: its source must be created before the bindings are published. */
export type InitCanary = Bind & { readonly isMissing: boolean };

type Answers = { clusters: readonly string[]; binds: Bind[]; canary: boolean };

const FILES = ["bindings.yaml", "samconfig.toml"] as const;

/** `questions` is undefined without a terminal. Answers are never lost: an error prints the command that repeats them. */
export async function runInit(
  cli: Cli,
  options: InitOptions,
  questions: Questions | undefined,
): Promise<InitResult> {
  const { terminal } = cli;
  const binds = parseBinds(options.bind ?? []);
  const existing = options.force === true ? [] : await findExisting(cli);
  if (existing.includes(FILES[0]) && options.bind === undefined && options.cluster === undefined) {
    if (options.canary === true) throw new UsageError(canaryByHand(options.prefix));
    return writeSamConfig(cli, options, existing, questions);
  }
  const [first] = existing;
  // With a terminal, the question comes last, when the content is known.
  if (first !== undefined && questions === undefined) {
    throw new UsageError(`${first} already exists. Edit it, or overwrite it with --force.`);
  }
  const { aws, source } = await openAccount(cli, options);
  const answers: Answers = { clusters: [], binds: [...binds], canary: options.canary === true };
  try {
    answers.clusters = await selectClusters(cli, options, aws, questions);
    if (binds.length > 0) await checkSources(cli, aws, source, binds);
    else await askForBinds(cli, aws, questions, answers);
    const { prefix } = options;
    const canary = answers.canary
      ? await findCanarySource(source, canaryFor(answers.binds, prefix))
      : undefined;
    const all = [...answers.binds, ...(canary ? [canary] : [])];
    const { clusters } = answers;
    const { bindings, samconfig } = initFiles({ location: aws.location, prefix, clusters, binds: all });
    const texts = { [FILES[0]]: bindings, [FILES[1]]: samconfig };
    await writeAll(cli, texts, existing, questions);
    return { files: FILES, clusters, binds: answers.binds, ...(canary && { canary }) };
  } catch (error) {
    if (questions !== undefined && answers.binds.length > 0) {
      terminal.say(`Your answers, to continue from: ${commandOf(answers, options)}`);
    }
    throw error;
  }
}

/** Keeps the operator's own bindings.yaml, and writes the samconfig.toml that its deployment needs. */
async function writeSamConfig(
  cli: Cli,
  options: InitOptions,
  existing: readonly string[],
  questions: Questions | undefined,
): Promise<InitResult> {
  const [bindingsFile, samConfigFile] = FILES;
  if (existing.includes(samConfigFile) && questions === undefined) {
    throw new UsageError(`${samConfigFile} already exists. Edit it, or overwrite both files with --force.`);
  }
  const { compiled } = await loadFile(cli, bindingsFile);
  const { aws } = await openAccount(cli, options);
  const samconfig = samConfigFor(compiled, aws.location, options.prefix);
  const overwritten = existing.filter((file) => file === samConfigFile);
  await writeAll(cli, { [samConfigFile]: samconfig }, overwritten, questions);
  return { files: [samConfigFile], clusters: Object.keys(compiled.clusters), binds: [] };
}

async function openAccount({ terminal }: Cli, options: InitOptions) {
  const opened = await withProgress(terminal, "reading your AWS identity", () => openSources(options));
  const { location, callerArn } = opened.aws;
  terminal.say(`Account ${location.accountId}, Region ${location.region}, as ${callerArn}`);
  return opened;
}

async function selectClusters(
  cli: Cli,
  { cluster }: InitOptions,
  aws: AwsSession,
  questions: Questions | undefined,
): Promise<readonly string[]> {
  const find = () => withProgress(cli.terminal, "listing clusters", () => findClusters(aws));
  if (cluster !== undefined) {
    const found = await find().catch((error: unknown) => notChecked(cli, "The clusters", error));
    for (const name of found === undefined ? [] : cluster) checkCluster(name, found ?? [], aws.region);
    return cluster;
  }
  const found = await find();
  if (found.length === 0) {
    throw new UsageError(
      `No EKS cluster was found in ${aws.region}. Use --region, or name it with --cluster.`,
    );
  }
  if (found.length === 1) return found;
  if (questions === undefined) {
    throw new UsageError(`There are several clusters: ${found.join(", ")}. Select one with --cluster.`);
  }
  return questions.selectClusters(found);
}

function checkCluster(name: string, found: readonly string[], region: string): void {
  if (found.includes(name)) return;
  const suggestion = suggestName(name, found);
  const known = found.length > 0 ? `It has: ${found.join(", ")}.` : "It has none.";
  throw new UsageError(
    `EKS has no cluster ${name} in ${region}. ${suggestion ? `Did you mean ${suggestion}?` : known} Correct --cluster or --region.`,
  );
}

/** The sources of --bind. Those of a question come from the account itself. */
async function checkSources(
  cli: Cli,
  aws: AwsSession,
  source: Session["source"],
  binds: readonly Bind[],
): Promise<void> {
  for (const { source: id } of binds) {
    const reference = parseSecretReference(id, "any");
    if (reference === undefined) throw new UsageError(`${id} is not the name or ARN of a secret.`);
    const state = await source.describe(reference, startTimeBudget(DESCRIBE_MS_MAX));
    if (state.kind === "unknown")
      cli.terminal.say(`${id} could not be checked (${state.code}). ${state.advice}`);
    if (state.kind !== "missing") continue;
    const suggestion = suggestName(id, await findSecrets(aws).catch(() => []));
    throw new UsageError(
      `Secrets Manager has no secret ${id} in ${aws.region}. ${suggestion ? `Did you mean ${suggestion}? ` : ""}Correct --bind or --region.`,
    );
  }
}

const DESCRIBE_MS_MAX = 20_000;

/** One that could not be looked up counts as existing; `verify` says so if it does not. */
async function findCanarySource({ describe }: Session["source"], canary: Bind): Promise<InitCanary> {
  const reference = parseSecretReference(canary.source, "any");
  if (reference === undefined) throw new UsageError(`--prefix is not the beginning of a secret name.`);
  const { kind } = await describe(reference, startTimeBudget(DESCRIBE_MS_MAX));
  return { ...canary, isMissing: kind === "missing" };
}

function canaryByHand(prefix: string | undefined): string {
  const { source, name } = canaryFor([], prefix);
  return `bindings.yaml already exists, so add the canary to it: a binding of the source ${source} with one Secret, such as ${name}. Then run init without --canary.`;
}

async function askForBinds(
  cli: Cli,
  aws: AwsSession,
  questions: Questions | undefined,
  answers: Answers,
): Promise<void> {
  if (questions === undefined) {
    throw new UsageError(
      "No terminal is available for questions. Use --bind SOURCE=NAMESPACE/NAME; it is repeatable.",
    );
  }
  const found = await withProgress(cli.terminal, "listing secrets", () => findSecrets(aws));
  if (found.length === 0) {
    throw new UsageError(
      `No secret was found in ${aws.region}. Create one: aws secretsmanager create-secret`,
    );
  }
  let namespace = "default";
  const offered = found.filter((name) => !isCanaryName(name));
  for (const source of await questions.selectSources(offered)) {
    const suggested = `${namespace}/${suggestSecretName(source)}`;
    const findProblem = (answer: string) => findTargetProblem(answer, answers.binds);
    const target = await questions.nameTarget(source, suggested, findProblem);
    const bind = parseBind(`${source}=${target}`);
    if (bind === undefined) throw new UsageError(`${target} is not namespace/name.`);
    answers.binds.push(bind);
    namespace = bind.namespace;
  }
  answers.canary ||= await questions.addCanary();
}

/** Shows the files and asks first, if there is a terminal. */
async function writeAll(
  cli: Cli,
  texts: Readonly<Record<string, string>>,
  existing: readonly string[],
  questions: Questions | undefined,
): Promise<void> {
  const files = Object.entries(texts);
  if (questions !== undefined) {
    const previews = files.map(([file, text]) => `\n${file}:\n${text.trimEnd().replace(/^/gm, "    ")}\n`);
    cli.terminal.say(previews.join(""));
    const question =
      existing.length > 0
        ? `Overwrite ${existing.join(" and ")}?`
        : `Write ${Object.keys(texts).join(" and ")}?`;
    if (!(await questions.confirm(question))) throw new UsageError("Nothing was written.");
  }
  for (const [file, text] of files) await writeOutputFile(cli, file, text);
}

function parseBinds(texts: readonly string[]): readonly Bind[] {
  const binds: Bind[] = [];
  for (const text of texts) {
    const bind = parseBind(text);
    if (bind === undefined) {
      throw new UsageError(`${text} is not SOURCE=NAMESPACE/NAME, such as prod/db=shop/db.`);
    }
    const problem = findTargetProblem(`${bind.namespace}/${bind.name}`, binds);
    if (problem !== undefined) throw new UsageError(`--bind ${text}: ${problem}`);
    binds.push(bind);
  }
  return binds;
}

/** The example of the repository does not count. */
async function findExisting({ cwd }: Cli): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of FILES) {
    const text = await readFile(path.resolve(cwd, file), "utf8").catch(() => undefined);
    if (text !== undefined && !isExampleFile(text)) found.push(file);
  }
  return found;
}

/** Without permission to list them, the names may still be right. */
function notChecked({ terminal }: Cli, what: string, error: unknown): undefined {
  const { code, message } = toRelayError(error);
  terminal.say(`${what} could not be checked. ${code}: ${message}`);
  return undefined;
}

function commandOf({ clusters, binds, canary }: Answers, { profile, region, prefix }: InitOptions): string {
  return [
    "secret-relay init",
    ...(profile === undefined ? [] : ["--profile", profile]),
    ...(region === undefined ? [] : ["--region", region]),
    ...(clusters.length === 0 ? [] : ["--cluster", ...clusters]),
    ...(prefix === undefined ? [] : ["--prefix", prefix]),
    ...(canary ? ["--canary"] : []),
    "--bind",
    ...binds.map(({ source, namespace, name }) => `'${source}=${namespace}/${name}'`),
  ].join(" ");
}
