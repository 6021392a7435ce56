import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { type BindingsDiff, isEmptyDiff } from "../../shared/bindings/published/diff-bindings.ts";
import { RelayNameDiffers } from "../../shared/bindings/published/errors.ts";
import { BINDINGS_FILE, bindingsOption } from "../bindings-file.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import { announceAccount } from "../live/announce-writes.ts";
import type { LoadedBindings } from "../live/load-bindings.ts";
import {
  addAwsOptions,
  addClusterOptions,
  addStackOption,
  type ClusterOptions,
  stackWords,
} from "../live/options.ts";
import type { DeployedStack } from "../live/stack.ts";
import { printPlan } from "../plan/print-plan.ts";
import type { StoredPointer } from "../publish/bindings-bucket.ts";
import type { RbacCheck } from "../publish/check-rbac.ts";
import { PublishedMeanwhile } from "../publish/errors.ts";
import type { MissingInStack } from "../publish/missing-in-stack.ts";
import type { OpenBucket, StackOptions } from "../publish/open-bindings-bucket.ts";
import { countOf, plural } from "../terminal/format.ts";
import { withProgress } from "../terminal/progress.ts";

type PublishOptions = StackOptions &
  ClusterOptions & {
    readonly bindings?: string;
    readonly yes?: boolean;
    readonly dryRun?: boolean;
    readonly plan?: boolean;
    readonly ignorePermissions?: boolean;
    readonly json?: boolean;
  };

export const addPublish: AddCommand = (program, cli) => {
  const command = defineCommand(program, "publish", {
    summary: "put the bindings in force, after showing what changes",
    description:
      "Validates the bindings, shows what they change compared with the published ones, checks that the stack and the clusters grant the permissions that they need, asks, and puts them in force. The functions follow within seconds, and a sweep starts with what changed. If another publication comes first, this one changes nothing.",
    examples: [
      ["secret-relay publish", "show the difference, ask, publish"],
      ["secret-relay publish --dry-run --plan", "only show the difference, and what it does in the clusters"],
      ["secret-relay publish --yes --json", "for a pipeline"],
    ],
    note: "Ends with 1 if a permission is missing in the stack or in a cluster, or if another publication came first. A permission that could not be checked is unknown and does not stop it. Undo: secret-relay bindings rollback.",
  })
    .addOption(bindingsOption())
    .option("--yes", "do not ask")
    .option("--dry-run", "show the difference and change nothing")
    .option("--plan", "also compare the added and changed bindings with the clusters")
    .option("--ignore-permissions", "publish although permissions are missing")
    .option("--json", "print the result as one JSON object");
  addStackOption(addClusterOptions(addAwsOptions(command))).action(
    cli.runs((options: PublishOptions) => publish(cli, options)),
  );
};

async function publish(cli: CommandLine, options: PublishOptions): Promise<ExitCode> {
  const { terminal } = cli;
  const { loadFile } = await import("../live/load-bindings.ts");
  const file = await loadFile(cli, options.bindings ?? BINDINGS_FILE);
  const { compiled } = file;
  const { withBucketOfStack } = await import("../publish/open-bindings-bucket.ts");
  const { readLastPointer } = await import("../publish/last-pointer.ts");
  return withBucketOfStack(options, async (open) => {
    const { aws, stack, bucket } = open;
    checkRelayName(compiled, stack);
    const before = await readLastPointer(bucket);
    sayWhere(cli, open, options.stackName, before);
    const { compareWithPublished } = await import("../publish/compare-with-published.ts");
    const { printDiff, rowsOfDiff } = await import("../publish/print-diff.ts");
    const diff = await compareWithPublished(bucket, compiled, before);
    const changes = rowsOfDiff(diff);
    if (options.json !== true) printDiff(terminal, diff, changes);

    const concerned = bindingsConcerned(compiled, diff);
    const permissions = await withProgress(terminal, "checking permissions", () =>
      checkPermissions(cli, options, { file, concerned, open }),
    );
    sayPermissions(cli, file, permissions);
    const { planChanges } = await import("../publish/plan-changes.ts");
    const targets = options.plan
      ? await withProgress(terminal, "comparing", () => planChanges(cli, options, concerned, aws))
      : undefined;
    if (targets !== undefined && options.json !== true) {
      terminal.out(printPlan(terminal, targets, { showsAll: false, now: cli.now() }));
    }

    const mayPublish = permissions.isComplete || options.ignorePermissions === true;
    const isUnchanged =
      before?.etag !== undefined && before.pointer.relay === compiled.relay && isEmptyDiff(diff);
    const result = {
      account: aws.location.accountId,
      region: aws.region,
      stack: options.stackName,
      bucket: bucket.name,
      before: before?.pointer.generation ?? 0,
      changes,
      clusters: diff.clusters,
      missingPermissions: permissions.missing,
      rbac: permissions.rbac,
      ...(targets && { targets }),
    };
    if (!mayPublish) {
      terminal.say(
        "Permissions are missing, so publish stops here. To publish anyway: --ignore-permissions. The functions then report each Secret that they cannot sync.",
      );
    }
    if (!mayPublish || options.dryRun === true || isUnchanged) {
      return finish(cli, options, { ok: mayPublish, published: false, ...result }, () => {
        if (isUnchanged) terminal.out("These bindings are already in force.");
      });
    }
    await confirm(cli, options, diff);
    const { generation, counts } = await putInForce(cli, open, compiled, before);
    return finish(cli, options, { ok: true, published: true, ...result, generation }, () => {
      terminal.out(`Generation ${generation} is in force: ${plural(counts.bindings, "Secret")}.`);
      terminal.say(
        `A sweep starts now. Watch it: secret-relay status --watch${stackWords(options.stackName)}`,
      );
    });
  });
}

/** The added and changed bindings, with the clusters that they or a change of `clusters` concern. */
function bindingsConcerned(compiled: CompiledBindings, diff: BindingsDiff): CompiledBindings {
  const bindings = [...diff.added, ...diff.changed.map(({ after }) => after)];
  const keys = new Set([
    ...bindings.map(({ target }) => target.cluster),
    ...diff.clusters.added,
    ...diff.clusters.changed,
  ]);
  const clusters = Object.fromEntries(Object.entries(compiled.clusters).filter(([key]) => keys.has(key)));
  return { ...compiled, clusters, bindings };
}

type Permissions = {
  readonly missing: readonly MissingInStack[];
  readonly rbac: readonly RbacCheck[];
  readonly isComplete: boolean;
};

/** In AWS, for all bindings, since the stack may have changed; in the clusters, for those that a publication changes. */
async function checkPermissions(
  cli: CommandLine,
  options: PublishOptions,
  { file, concerned, open }: { file: LoadedBindings; concerned: CompiledBindings; open: OpenBucket },
): Promise<Permissions> {
  const { awsNeeds } = await import("../iam/aws-needs.ts");
  const { missingInStack } = await import("../publish/missing-in-stack.ts");
  const { checkRbacOf } = await import("../publish/check-rbac.ts");
  const { aws, stack } = open;
  const missing = missingInStack(awsNeeds(file.compiled, { location: aws.location }), stack.parameters);
  const rbac = await checkRbacOf(cli, options, file, concerned, aws);
  const isComplete = missing.length === 0 && rbac.every(({ status }) => status !== "missing");
  return { missing, rbac, isComplete };
}

function sayPermissions(
  { terminal }: CommandLine,
  { selectedBy }: LoadedBindings,
  { missing, rbac }: Permissions,
): void {
  for (const { parameter, arns } of missing) {
    const more = arns.length - ARNS_SHOWN_MAX;
    const list = arns.slice(0, ARNS_SHOWN_MAX).join(", ") + (more > 0 ? ` and ${countOf(more)} more` : "");
    terminal.say(`The stack's parameter ${parameter} lacks ${list}.`);
  }
  if (missing.length > 0) {
    terminal.say(`Print the parameters, and deploy them: secret-relay iam${selectedBy} --parameters`);
  }
  for (const { cluster, says, fix } of rbac.filter(({ status }) => status === "missing")) {
    terminal.say(`Cluster ${cluster}: ${says}. Grant them: ${fix}`);
  }
  const unknown = Map.groupBy(
    rbac.filter(({ status }) => status === "unknown"),
    ({ because }) => because,
  );
  for (const [because, clusters] of unknown) {
    const keys = clusters.map(({ cluster }) => cluster).join(", ");
    terminal.say(`It is unknown whether the relay has its permissions in cluster ${keys} (${because}).`);
  }
}

const ARNS_SHOWN_MAX = 5;

/** The functions refuse bindings of another relay. */
export function checkRelayName({ relay }: { readonly relay: string }, { parameters }: DeployedStack): void {
  const { RelayName = relay } = parameters;
  if (relay !== RelayName) throw new RelayNameDiffers(relay, RelayName);
}

/** Who is logged in, and what the command is about to change. */
export function sayWhere(
  cli: Pick<CommandLine, "terminal">,
  { aws, bucket }: Pick<OpenBucket, "aws" | "bucket">,
  stackName: string,
  before: StoredPointer | undefined,
): void {
  const { terminal } = cli;
  announceAccount(cli, aws);
  terminal.say(`Stack ${stackName}, bucket ${bucket.name}`);
  if (before === undefined) terminal.say("Nothing is published yet.");
  else {
    const { generation, publishedAt, publishedBy, counts } = before.pointer;
    const state = before.etag === undefined ? "Deleted, so nothing is in force" : "In force";
    terminal.say(
      `${state}: generation ${generation} of ${publishedAt} by ${publishedBy}, ${plural(counts.bindings, "Secret")}`,
    );
  }
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
