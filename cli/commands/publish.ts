import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { type BindingsDiff, isEmptyDiff } from "../../shared/bindings/published/diff-bindings.ts";
import { RelayNameDiffers } from "../../shared/bindings/published/errors.ts";
import { bindingsOption, loadBindingsFile } from "../bindings-file.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import { addAwsOptions, addStackOption } from "../live/options.ts";
import type { StoredPointer } from "../publish/bindings-bucket.ts";
import type { MissingInStack } from "../publish/missing-in-stack.ts";
import type { OpenBucket, StackOptions } from "../publish/open-bindings-bucket.ts";
import { plural } from "../terminal/format.ts";
import { withProgress } from "../terminal/progress.ts";

type PublishOptions = StackOptions & {
  readonly bindings: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly ignorePermissions?: boolean;
  readonly json?: boolean;
};

export const addPublish: AddCommand = (program, cli) => {
  const command = defineCommand(program, "publish", {
    summary: "put the bindings in force, after showing what changes",
    description:
      "Validates the bindings, shows what they change compared with the published ones, asks, and puts them in force. The functions follow within seconds, and a sweep starts with what changed. If somebody else publishes at the same time, one publication wins and the other changes nothing.",
    examples: [
      ["secret-relay publish", "show the difference, ask, publish"],
      ["secret-relay publish --dry-run", "only show the difference"],
      ["secret-relay publish --yes --json", "for a pipeline"],
    ],
    note: "Ends with 1 if the stack lacks a permission that the bindings need, or if another publication came first. Undo: secret-relay bindings rollback.",
  })
    .addOption(bindingsOption())
    .option("--yes", "do not ask")
    .option("--dry-run", "show the difference and change nothing")
    .option("--ignore-permissions", "publish although the stack lacks permissions")
    .option("--json", "print the result as one JSON object");
  addStackOption(addAwsOptions(command)).action(cli.runs((options: PublishOptions) => publish(cli, options)));
};

async function publish(cli: CommandLine, options: PublishOptions): Promise<ExitCode> {
  const compiled = await loadBindingsFile(cli, options.bindings);
  const { withBucketOfStack } = await import("../publish/open-bindings-bucket.ts");
  return withBucketOfStack(options, async (open) => {
    const relayName = open.stack.parameters.RelayName ?? compiled.relay;
    if (compiled.relay !== relayName) throw new RelayNameDiffers(compiled.relay, relayName);
    const before = await open.bucket.readPointer();
    sayWhere(cli, open, options.stackName, before);
    const { compareWithPublished } = await import("../publish/compare-with-published.ts");
    const { printDiff, rowsOfDiff } = await import("../publish/print-diff.ts");
    const diff = await compareWithPublished(open.bucket, compiled, before);
    const missing = await findMissing(compiled, open);
    const result = {
      account: open.aws.location.accountId,
      region: open.aws.region,
      stack: options.stackName,
      bucket: open.bucket.name,
      before: before?.pointer.generation ?? 0,
      changes: rowsOfDiff(diff),
      clusters: diff.clusters,
      missingPermissions: missing,
    };
    if (options.json !== true) printDiff(cli.terminal, diff);
    for (const { parameter, arns } of missing) {
      cli.terminal.say(`The stack's parameter ${parameter} lacks ${arns.join(", ")}.`);
    }
    const mayPublish = missing.length === 0 || options.ignorePermissions === true;
    if (!mayPublish) {
      cli.terminal.say(
        "Print the parameters with `secret-relay iam --parameters`, deploy them, then publish. Or publish now with --ignore-permissions: the functions report what they cannot read.",
      );
    }
    const isUnchanged = before !== undefined && isEmptyDiff(diff);
    if (options.dryRun === true || isUnchanged || !mayPublish) {
      const ok = mayPublish;
      return finish(cli, options, { ok, published: false, ...result }, () => {
        if (isUnchanged) cli.terminal.out("These bindings are already in force.");
      });
    }
    await confirm(cli, options, diff);
    const pointer = await putInForce(cli, open, compiled, before);
    return finish(
      cli,
      options,
      { ok: true, published: true, ...result, generation: pointer.generation },
      () => {
        cli.terminal.out(
          `Generation ${pointer.generation} is in force: ${plural(pointer.counts.bindings, "Secret")}.`,
        );
        cli.terminal.say("A sweep starts now. Watch it: secret-relay status --watch");
      },
    );
  });
}

/** Who is logged in, and what the command is about to change. */
export function sayWhere(
  { terminal }: Pick<CommandLine, "terminal">,
  { aws, bucket }: Pick<OpenBucket, "aws" | "bucket">,
  stackName: string,
  before: StoredPointer | undefined,
): void {
  terminal.say(`${aws.callerArn} in account ${aws.location.accountId}, ${aws.region}`);
  terminal.say(`Stack ${stackName}, bucket ${bucket.name}`);
  if (before === undefined) terminal.say("Nothing is published yet.");
  else {
    const { generation, publishedAt, publishedBy, counts } = before.pointer;
    terminal.say(
      `In force: generation ${generation} of ${publishedAt} by ${publishedBy}, ${plural(counts.bindings, "Secret")}`,
    );
  }
}

async function findMissing(
  compiled: CompiledBindings,
  { aws, stack }: OpenBucket,
): Promise<readonly MissingInStack[]> {
  const { awsNeeds } = await import("../iam/aws-needs.ts");
  const { missingInStack } = await import("../publish/missing-in-stack.ts");
  return missingInStack(awsNeeds(compiled, { location: aws.location }), stack.parameters);
}

async function confirm(
  { terminal }: CommandLine,
  { yes }: PublishOptions,
  diff: BindingsDiff,
): Promise<void> {
  if (yes === true) return;
  const { summaryOf } = await import("../publish/print-diff.ts");
  if (!terminal.canAsk) {
    throw new UsageError("This is not a terminal, so publish cannot ask. Add --yes, or --dry-run.");
  }
  const { askToContinue } = await import("../terminal/ask-to-continue.ts");
  if (!(await askToContinue(`${summaryOf(diff)} Publish?`)))
    throw new UsageError("Stopped. Nothing was published.");
}

async function putInForce(
  cli: CommandLine,
  { aws, bucket }: OpenBucket,
  compiled: CompiledBindings,
  before: StoredPointer | undefined,
) {
  const { publishBindings } = await import("../publish/publish-bindings.ts");
  const published = await withProgress(cli.terminal, "publishing", (reportProgress) =>
    publishBindings(bucket, compiled, before, { callerArn: aws.callerArn, now: cli.now, reportProgress }),
  );
  if (published.kind === "published") return published.pointer;
  throw new PublishedMeanwhile(published.by);
}

/** Another publication replaced the pointer first. Nothing of this one is in force. */
export class PublishedMeanwhile extends CommandError {
  readonly code = "PUBLISHED_MEANWHILE";
  constructor(by: StoredPointer | undefined) {
    const who =
      by === undefined
        ? "The published bindings were removed meanwhile"
        : `${by.pointer.publishedBy} published generation ${by.pointer.generation} meanwhile`;
    super(`${who}, and nothing of yours is in force. Run the command again: it shows the new difference.`);
  }
}
