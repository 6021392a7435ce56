import { RulesSuperseded } from "../../shared/bindings/published/errors.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import {
  addSelectionOptions,
  addViaLambdaOptions,
  parseSeconds,
  requireSelection,
  type SelectionOptions,
  targetArgument,
  type ViaLambdaOptions,
} from "../live/options.ts";
import { printSync } from "../sync/print-sync.ts";
import { isDone, type SyncRow } from "../sync/sync-result.ts";
import { type ReportProgress, withProgress } from "../terminal/progress.ts";

type SyncOptions = SelectionOptions & ViaLambdaOptions & { readonly all?: boolean; readonly timeout: string };

export const addSync: AddCommand = (program, cli) => {
  const command = defineCommand(program, "sync", {
    summary: "write the current value into bound Secrets now",
    description:
      "Writes the current value from Secrets Manager into bound Secrets and waits for the result. It uses your own permissions, or with --via-lambda the deployed function. It shows each Secret before and after.",
    examples: [
      ["secret-relay sync shop/db", "one Secret, in every cluster that binds it"],
      ["secret-relay sync prod/db", "every Secret of one source"],
      ["secret-relay sync --all --cluster prod", "all bound Secrets of one cluster"],
      ["secret-relay sync prod/db --via-lambda", "without your own permissions in the cluster"],
    ],
    note: "Ends with 1 if a Secret is stale afterwards or was refused, for example because it is held or contested.",
  })
    .addArgument(targetArgument())
    .option("--all", "all bound Secrets")
    .option("--timeout <seconds>", "stop after this time", "300");
  addViaLambdaOptions(addSelectionOptions(command)).action(
    cli.runs(async (what: string | undefined, options: SyncOptions) => {
      requireSelection("sync", what, options);
      if (options.viaLambda === true && options.cluster !== undefined) {
        throw new UsageError(
          "--cluster and --via-lambda exclude each other: the function syncs all targets of a source.",
        );
      }
      const timeoutMs = parseSeconds("--timeout", options.timeout);
      const sync = options.viaLambda === true ? syncThroughFunction : syncDirectly;
      const targets = await withProgress(cli.terminal, "syncing", (reportProgress) =>
        sync(cli, what, options, { timeoutMs, reportProgress }),
      );
      return finish(cli, options, { ok: targets.every(isDone), targets }, () =>
        printSync(cli.terminal, targets, cli.now()),
      );
    }),
  );
};

const GENERATIONS_MAX = 3;

type Limits = { readonly timeoutMs: number; readonly reportProgress: ReportProgress };

async function syncDirectly(
  cli: CommandLine,
  what: string | undefined,
  options: SyncOptions,
  { timeoutMs, reportProgress }: Limits,
): Promise<SyncRow[]> {
  const { announceWrites, clustersOf } = await import("../live/announce-writes.ts");
  const { openSelection } = await import("../live/open-session.ts");
  const { syncFromHere } = await import("../sync/sync-from-here.ts");
  const budget = startTimeBudget(timeoutMs);
  for (let generations = 1; ; generations += 1) {
    const { session, groups } = await openSelection(cli, what, options, { writes: true });
    announceWrites(cli, session, clustersOf(groups.flatMap(({ bindings }) => bindings)));
    try {
      return await syncFromHere(session, groups, { budget, reportProgress });
    } catch (error) {
      // Newer bindings were published meanwhile, so the sync starts again with them, as in the functions.
      if (!(error instanceof RulesSuperseded) || generations === GENERATIONS_MAX) throw error;
    }
  }
}

async function syncThroughFunction(
  cli: CommandLine,
  what: string | undefined,
  options: SyncOptions,
  { timeoutMs, reportProgress }: Limits,
): Promise<SyncRow[]> {
  const { announceFunction } = await import("../live/announce-writes.ts");
  const { findFunction } = await import("../live/invoke-function.ts");
  const { hasNoBindings } = await import("../live/load-bindings.ts");
  const { openSelection, openSources } = await import("../live/open-session.ts");
  const { syncUnobservedViaFunction, syncViaFunction } = await import("../sync/sync-via-function.ts");
  const selection = await openSelection(cli, what, options).catch((error: unknown) => {
    // In an emergency the name of a source is enough: the function has its own bindings.
    if (hasNoBindings(error) && what !== undefined) return undefined;
    throw error;
  });
  const budget = startTimeBudget(timeoutMs);
  if (selection !== undefined) {
    const { session, groups } = selection;
    const functionName = await findFunction(session.aws, "RotationFunctionName", options);
    announceFunction(cli, session.aws, functionName);
    return syncViaFunction(session, groups, { aws: session.aws, functionName, budget, reportProgress });
  }
  const source = parseSecretReference(what ?? "", "any");
  if (source === undefined) throw new UsageError(`${what} is not a valid name or ARN of a secret.`);
  const {
    aws,
    source: { describe },
  } = await openSources(options);
  const functionName = await findFunction(aws, "RotationFunctionName", options);
  announceFunction(cli, aws, functionName);
  return syncUnobservedViaFunction({ aws, functionName, budget, describe }, source);
}
