import { access } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { type Rules, rulesOfFile } from "../../shared/bindings/published/rules.ts";
import { splitIntoParts } from "../../shared/bindings/published/split-into-parts.ts";
import { BindingsStoreDenied } from "../../shared/bindings/published/store-errors.ts";
import { BindingsUnreadable } from "../../shared/bindings/read-compiled-bindings.ts";
import { openRules } from "../../shared/relay/open-rules.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { BINDINGS_FILE, loadBindingsFile } from "../bindings-file.ts";
import type { Cli } from "../cli.ts";
import { toRelayError, UsageError } from "../errors.ts";
import { NothingPublished } from "../publish/errors.ts";
import { BucketForbidden, withBindingsBucket } from "../publish/s3-bucket.ts";
import { type AwsSession, openAwsSession } from "./aws-session.ts";
import { type AwsOptions, type BindingsChoice, DEFAULT_STACK_NAME, stackWords } from "./options.ts";
import { bucketOf, readStack, StackForbidden, StackNotFound, StackWithoutBucket } from "./stack.ts";

export type LoadedBindings = {
  readonly compiled: CompiledBindings;
  /** Checks with the store whether published bindings are still in force. */
  readonly rules: Rules;
  /** The options with which another command works on the same bindings: `-b other.yaml`. */
  readonly selectedBy: string;
};

/**
 * For a command that works on the installation: the bindings of a file, if the command line or BINDINGS_FILE names one,
 * otherwise those that the stack has published. A file is read first, so that a mistake in it is found without AWS.
 */
export async function openBindings(
  cli: Cli,
  options: AwsOptions & BindingsChoice,
): Promise<{ readonly aws: AwsSession; readonly loaded: LoadedBindings }> {
  const named = await loadNamedFile(cli, options);
  const aws = await openAwsSession(options);
  return { aws, loaded: named ?? (await loadPublishedOrFile(cli, options.stackName, aws)) };
}

/**
 * For a command that prepares a publication: the bindings of a file, by default bindings.yaml, or those that a named
 * stack has published.
 */
export async function loadBindingsOrPublished(
  cli: Cli,
  options: AwsOptions & Partial<BindingsChoice>,
): Promise<LoadedBindings> {
  const { bindings, stackName } = options;
  if (stackName === undefined) return loadFile(cli, namedFile(cli, options) ?? BINDINGS_FILE);
  if (bindings !== undefined) throw new UsageError("Use either --bindings or --stack-name.");
  return loadPublished(cli, stackName, await openAwsSession(options));
}

/** The bindings of the file that the command line or the environment names. */
export async function loadNamedFile(
  cli: Cli,
  choice: Partial<BindingsChoice>,
): Promise<LoadedBindings | undefined> {
  const file = namedFile(cli, choice);
  return file === undefined ? undefined : loadFile(cli, file);
}

/** Before the first publication of the default stack, bindings.yaml is used, and the command says so. */
async function loadPublishedOrFile(cli: Cli, stackName: string, aws: AwsSession): Promise<LoadedBindings> {
  try {
    return await loadPublished(cli, stackName, aws);
  } catch (error) {
    const mayUseFile = stackName === DEFAULT_STACK_NAME && isNotPublished(error) && (await hasFile(cli));
    if (!mayUseFile) throw error;
    cli.terminal.say(`${NOT_PUBLISHED[error.code](stackName, aws.region)}, so ${BINDINGS_FILE} is used.`);
    return loadFile(cli, BINDINGS_FILE);
  }
}

const namedFile = ({ env }: Cli, { bindings }: Partial<BindingsChoice>): string | undefined =>
  bindings ?? (env.BINDINGS_FILE || undefined);

export async function loadFile(cli: Cli, file: string): Promise<LoadedBindings> {
  const compiled = await loadBindingsFile(cli, file);
  const selectedBy = file === BINDINGS_FILE ? "" : ` -b ${file}`;
  return { compiled, rules: rulesOfFile(compiled).rules, selectedBy };
}

/** The bindings that the stack has published. */
export async function loadPublished(cli: Cli, stackName: string, aws: AwsSession): Promise<LoadedBindings> {
  const bucket = bucketOf(await readStack(aws, stackName), stackName);
  const budget = startTimeBudget(READ_MS_MAX);
  const { region, client, location } = aws;
  try {
    const store = await openRules(
      { bindingsBucket: bucket },
      { region, credentials: client.credentials, wait: cli.wait },
    );
    const rules = await store.latest(budget);
    if (rules.generation === 0) throw new NothingPublished();
    const { relay, clusters } = rules;
    const { bindings } = await rules.all(location, budget);
    const selectedBy = ` --stack-name ${stackName}`;
    return { compiled: { version: 1, relay, clusters, bindings }, rules, selectedBy };
  } catch (error) {
    throw error instanceof BindingsStoreDenied ? new BucketForbidden(bucket, "s3:GetObject") : error;
  }
}

const READ_MS_MAX = 60_000;

type NotPublished = StackNotFound | StackWithoutBucket | NothingPublished;

const isNotPublished = (error: unknown): error is NotPublished =>
  error instanceof StackNotFound || error instanceof StackWithoutBucket || error instanceof NothingPublished;

const NOT_PUBLISHED: Readonly<Record<NotPublished["code"], (stack: string, region: string) => string>> = {
  STACK_NOT_FOUND: (stack, region) => `Stack ${stack} does not exist in ${region}`,
  STACK_WITHOUT_BUCKET: (stack) => `Stack ${stack} has no bucket for bindings`,
  NOTHING_PUBLISHED: (stack) => `Stack ${stack} has not published any bindings`,
};

export const hasFile = ({ cwd }: Pick<Cli, "cwd">): Promise<boolean> =>
  access(path.resolve(cwd, BINDINGS_FILE)).then(
    () => true,
    () => false,
  );

/** No bindings can be had, neither published ones nor a file; a deployed function has its own. */
export const hasNoBindings = (error: unknown): boolean =>
  isNotPublished(error) ||
  error instanceof StackForbidden ||
  error instanceof BucketForbidden ||
  error instanceof BindingsUnreadable;

/**
 * Says if bindings of a file, which a command is about to follow, are not those in force: the functions follow those at
 * the next rotation or sweep.
 */
export async function sayIfNotInForce(
  cli: Cli,
  choice: BindingsChoice,
  { compiled, rules }: LoadedBindings,
  aws: AwsSession,
): Promise<void> {
  if (rules.generation !== undefined) return;
  const file = namedFile(cli, choice) ?? BINDINGS_FILE;
  const { say } = cli.terminal;
  try {
    const name = bucketOf(await readStack(aws, choice.stackName), choice.stackName);
    const stored = await withBindingsBucket(aws, name, (bucket) => bucket.readPointer());
    if (stored === undefined) return; // loadBindings has said so, or nothing else can be in force
    const { generation, relay, clusters, parts } = stored.pointer;
    const isSame =
      relay === compiled.relay &&
      isDeepStrictEqual(clusters, compiled.clusters) &&
      isDeepStrictEqual(parts, splitIntoParts(compiled).content.parts);
    if (isSame) return;
    say(
      `${file} differs from generation ${generation}, which is in force. The functions follow that generation at the next rotation or sweep. To publish the file: secret-relay publish -b ${file}${stackWords(choice.stackName)}`,
    );
  } catch (error) {
    if (isNotPublished(error)) return;
    say(`It is unknown whether ${file} is in force (${toRelayError(error).code}).`);
  }
}
