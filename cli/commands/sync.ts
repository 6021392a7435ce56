import { Argument } from "commander";
import { BindingsUnreadable } from "../../shared/bindings/read-compiled-bindings.ts";
import { parseSecretReference } from "../../shared/secret-id/parse-secret-reference.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { addViaLambdaOptions, parseTimeout, type ViaLambdaOptions } from "../live/function-options.ts";
import { mustSelect } from "../live/must-select.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import { printSync } from "../sync/print-sync.ts";
import { isDone } from "../sync/sync-result.ts";
import { type Tell, withProgress } from "../terminal/progress.ts";

type SyncOptions = LiveOptions &
  ViaLambdaOptions & {
    readonly all?: boolean;
    readonly cluster?: readonly string[];
    readonly timeout: string;
    readonly json?: boolean;
  };

export const addSync: AddCommand = (program, cli) => {
  const command = program
    .command("sync")
    .summary("write the current value into bound Secrets now")
    .description(
      "Writes the value that is current in Secrets Manager into bound Secrets, now: from here, in the same way as the functions do it, or by the deployed function. It waits, shows each Secret before and after, and ends with 1 when one is still stale or was refused, also because it is held or contested.",
    )
    .addArgument(new Argument("[what]", "namespace/name of a Secret, or the name or ARN of a source"))
    .option("--all", "everything that is bound")
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .addOption(bindingsOption())
    .option("--timeout <seconds>", "give up after so long", "300")
    .option("--json", "print one JSON object");
  addViaLambdaOptions(addClusterOptions(addAwsOptions(command)))
    .addHelpText(
      "after",
      examples(
        ["secret-relay sync shop/db", "one Secret, in every cluster that has it bound"],
        ["secret-relay sync prod/db", "every Secret that is made from that source"],
        ["secret-relay sync --all --cluster prod", "everything that is bound in one cluster"],
        ["secret-relay sync prod/db --via-lambda", "without rights of one's own in the cluster"],
      ),
    )
    .action(cli.runs((what: string | undefined, options: SyncOptions) => sync(cli, what, options)));
};

async function sync(cli: CommandLine, what: string | undefined, options: SyncOptions) {
  checkMeaning(what, options);
  const timeoutMs = parseTimeout(options.timeout);
  const results = await withProgress(cli.terminal, "syncing", (tell) =>
    options.viaLambda === true
      ? syncThere(cli, what, options, { timeoutMs, tell })
      : syncHere(cli, what, options, { timeoutMs, tell }),
  );
  const ok = results.every(isDone);
  if (options.json === true) cli.terminal.out(JSON.stringify({ ok, targets: results }));
  else printSync(cli.terminal, results, cli.now());
  return ok ? EXIT.done : EXIT.failed;
}

function checkMeaning(what: string | undefined, { all, cluster, viaLambda }: SyncOptions): void {
  mustSelect("sync", what, { all, cluster });
  if (viaLambda === true && cluster !== undefined) {
    throw new UsageError(
      "--cluster does not go with --via-lambda: the function syncs all targets of a source.",
    );
  }
}

type How = { readonly timeoutMs: number; readonly tell: Tell };

async function syncHere(
  cli: CommandLine,
  what: string | undefined,
  options: SyncOptions,
  { timeoutMs, tell }: How,
) {
  const { openLive } = await import("../live/open-live.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { syncFromHere } = await import("../sync/sync-from-here.ts");
  const live = await openLive(cli, options);
  const groups = selectBindings(live.index, {
    ...(what !== undefined && { what }),
    ...(options.cluster && { clusters: options.cluster }),
  });
  return syncFromHere(live, groups, { budget: startTimeBudget(timeoutMs), tell });
}

async function syncThere(
  cli: CommandLine,
  what: string | undefined,
  options: SyncOptions,
  { timeoutMs, tell }: How,
) {
  const { findFunction } = await import("../live/invoke-function.ts");
  const { openLive, openSources } = await import("../live/open-live.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { syncUnseenViaFunction, syncViaFunction } = await import("../sync/sync-via-function.ts");
  const live = await openLive(cli, options).catch((error: unknown) => {
    // At 3 a.m. a name will do: the function has its own bindings.
    if (error instanceof BindingsUnreadable && what !== undefined) return undefined;
    throw error;
  });
  const budget = startTimeBudget(timeoutMs);
  if (live !== undefined) {
    const groups = selectBindings(live.index, { ...(what !== undefined && { what }) });
    const functionName = await findFunction(live.aws, "RotationFunctionName", options);
    return syncViaFunction(live, groups, { aws: live.aws, functionName, budget, tell });
  }
  const source = parseSecretReference(what ?? "", "any");
  if (source === undefined) throw new UsageError(`${what} is not a valid name or ARN of a secret.`);
  const { aws, catalog } = await openSources(options);
  const functionName = await findFunction(aws, "RotationFunctionName", options);
  return syncUnseenViaFunction({ aws, functionName, budget, catalog }, source);
}
