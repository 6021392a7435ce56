import type { Command } from "commander";
import { BindingsDeleted } from "../../shared/bindings/published/errors.ts";
import type { Pointer } from "../../shared/bindings/published/pointer.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import { addAwsOptions, addStackOption } from "../live/options.ts";
import type { BindingsBucket, StoredPointer } from "../publish/bindings-bucket.ts";
import { GenerationNotFound, NothingPublished, PublishedMeanwhile } from "../publish/errors.ts";
import type { StackOptions } from "../publish/open-bindings-bucket.ts";
import { table } from "../terminal/table.ts";
import { checkRelayName, sayWhere } from "./publish.ts";

type Options = StackOptions & { readonly json?: boolean };
type ShowOptions = Options & { readonly generation?: string };
type RollbackOptions = Options & { readonly to?: string; readonly yes?: boolean };

export const addBindings: AddCommand = (program, cli) => {
  const group = program
    .command("bindings")
    .summary("show the published bindings and their history, or roll back")
    .description("Works on the bindings that secret-relay publish has put in force.");
  const history = defineCommand(group, "history", {
    summary: "list the published generations",
    description: "Lists the published generations, the newest first.",
    examples: [["secret-relay bindings history", "who published what, and when"]],
  });
  addOptions(history).action(cli.runs((options: Options) => showHistory(cli, options)));
  const show = defineCommand(group, "show", {
    summary: "print the bindings of a generation",
    description: "Prints the compiled bindings in force, or those of an earlier generation, as JSON.",
    examples: [
      ["secret-relay bindings show", "the bindings in force"],
      [
        "secret-relay bindings show --generation 12 > before.json",
        "an earlier generation, for plan -b before.json",
      ],
    ],
  }).option("--generation <n>", "an earlier generation");
  addOptions(show).action(cli.runs((options: ShowOptions) => showBindings(cli, options)));
  const rollback = defineCommand(group, "rollback", {
    summary: "put an earlier generation in force again",
    description:
      "Shows what changes, asks, and puts the bindings of an earlier generation in force as a new generation.",
    examples: [
      ["secret-relay bindings rollback", "the generation before the one in force"],
      ["secret-relay bindings rollback --to 12 --yes", "a certain one, without a question"],
    ],
  })
    .option(
      "--to <n>",
      "the generation (default: the one before the one in force, or the last one if it was deleted)",
    )
    .option("--yes", "do not ask");
  addOptions(rollback).action(cli.runs((options: RollbackOptions) => rollbackTo(cli, options)));
};

const addOptions = (command: Command): Command =>
  addStackOption(addAwsOptions(command.option("--json", "print the result as one JSON object")));

async function showHistory(cli: CommandLine, options: Options): Promise<ExitCode> {
  const { pointersOf } = await import("../publish/last-pointer.ts");
  const { withBucketOfStack } = await import("../publish/open-bindings-bucket.ts");
  return withBucketOfStack(options, async ({ bucket }) => {
    const generations: Omit<Pointer, "clusters" | "parts">[] = [];
    for await (const { pointer } of pointersOf(bucket)) {
      const { clusters: _clusters, parts: _parts, ...rest } = pointer;
      generations.push(rest);
      if (generations.length === HISTORY_MAX) break;
    }
    return finish(cli, options, { ok: true, generations }, () => {
      const rows = generations.map(({ generation, publishedAt, publishedBy, counts, rollbackTo }) => [
        String(generation),
        publishedAt,
        String(counts.bindings),
        rollbackTo === undefined ? "" : String(rollbackTo),
        publishedBy,
      ]);
      cli.terminal.out(
        table(cli.terminal, ["GENERATION", "PUBLISHED", "SECRETS", "ROLLBACK TO", "BY"], rows),
      );
    });
  });
}

const HISTORY_MAX = 50;

async function showBindings(cli: CommandLine, options: ShowOptions): Promise<ExitCode> {
  const wanted = options.generation && parseGeneration("--generation", options.generation);
  const { withBucketOfStack } = await import("../publish/open-bindings-bucket.ts");
  return withBucketOfStack(options, async ({ bucket }) => {
    const { pointer } =
      typeof wanted === "number" ? await findGeneration(bucket, wanted) : await pointerInForce(bucket);
    const { readPublished } = await import("../publish/read-published.ts");
    const compiled = await readPublished(bucket, pointer);
    const { generation } = pointer;
    return finish(cli, options, { ok: true, generation, ...compiled }, () => {
      cli.terminal.out(JSON.stringify(compiled, null, 2));
    });
  });
}

async function rollbackTo(cli: CommandLine, options: RollbackOptions): Promise<ExitCode> {
  const wanted = options.to && parseGeneration("--to", options.to);
  const { withBucketOfStack } = await import("../publish/open-bindings-bucket.ts");
  return withBucketOfStack(options, async ({ aws, stack, bucket }) => {
    const { readLastPointer } = await import("../publish/last-pointer.ts");
    const before = await readLastPointer(bucket);
    if (before === undefined) throw new NothingPublished();
    sayWhere(cli, { aws, bucket }, options.stackName, before);
    const last = before.pointer.generation;
    const isDeleted = before.etag === undefined;
    const generation = typeof wanted === "number" ? wanted : isDeleted ? last : last - 1;
    if (generation === last && !isDeleted)
      throw new UsageError(`Generation ${last} is in force. Choose another.`);
    if (generation === 0) throw new UsageError("Generation 1 is the first one, so nothing precedes it.");
    const { pointer: to } = await findGeneration(bucket, generation);
    checkRelayName(to, stack);
    if (isDeleted) await (await import("../publish/read-published.ts")).readPublished(bucket, to); // its parts may be gone too
    const { comparePublished } = await import("../publish/compare-with-published.ts");
    const { printDiff, rowsOfDiff, summaryOf } = await import("../publish/print-diff.ts");
    const diff = await comparePublished(bucket, before.pointer, to);
    const changes = rowsOfDiff(diff);
    if (options.json !== true) printDiff(cli.terminal, diff, changes);
    if (options.yes !== true) {
      if (!cli.terminal.canAsk) {
        throw new UsageError("This is not a terminal, so rollback cannot ask. Add --yes.");
      }
      const { askToContinue } = await import("../terminal/ask-to-continue.ts");
      if (!(await askToContinue(`${summaryOf(diff)} Roll back to generation ${to.generation}?`))) {
        throw new UsageError("Stopped. Nothing was published.");
      }
    }
    const { rollBack } = await import("../publish/publish-bindings.ts");
    const published = await rollBack(bucket, to, before, {
      callerArn: aws.callerArn,
      now: cli.now,
      reportProgress: () => {},
    });
    if (published.kind === "superseded") throw new PublishedMeanwhile(published.by);
    const { generation: next } = published.pointer;
    return finish(cli, options, { ok: true, generation: next, rollbackTo: to.generation, changes }, () => {
      cli.terminal.out(`Generation ${next} is in force, with the bindings of ${to.generation}.`);
      cli.terminal.say(
        "Your bindings file is unchanged: correct it, or the next publish puts it in force again.",
      );
    });
  });
}

async function pointerInForce(bucket: BindingsBucket): Promise<StoredPointer> {
  const { readLastPointer } = await import("../publish/last-pointer.ts");
  const stored = await readLastPointer(bucket);
  if (stored === undefined) throw new NothingPublished();
  if (stored.etag === undefined) throw new BindingsDeleted();
  return stored;
}

async function findGeneration(bucket: BindingsBucket, generation: number): Promise<StoredPointer> {
  const { pointersOf } = await import("../publish/last-pointer.ts");
  let oldest: number | undefined;
  for await (const stored of pointersOf(bucket)) {
    if (stored.pointer.generation === generation) return stored;
    oldest = stored.pointer.generation;
    if (oldest < generation) break;
  }
  if (oldest === undefined) throw new NothingPublished();
  throw new GenerationNotFound(generation);
}

function parseGeneration(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new UsageError(
    `${option} must be the number of a generation. List them: secret-relay bindings history.`,
  );
}
