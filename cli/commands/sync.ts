import { Argument } from "commander";
import type { TargetRef } from "../../shared/bindings/binding.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import type { Sight } from "../live/sight.ts";
import type { Synced } from "../live/sync-and-look.ts";
import { withProgress } from "../terminal/progress.ts";
import { table } from "../terminal/table.ts";
import { printAge, shortVersion } from "../terminal/words.ts";

type SyncOptions = LiveOptions & {
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
      "Brings Kubernetes Secrets to the value that is current in Secrets Manager, now and from here, in the same way as the functions do it. Waits until it is done.",
    )
    .addArgument(new Argument("[what]", "namespace/name of a Secret, or the name or ARN of a source"))
    .option("--all", "everything that is bound")
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .addOption(bindingsOption())
    .option("--timeout <seconds>", "give up after so long", "300")
    .option("--json", "print one JSON object");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      examples(
        ["secret-relay sync shop/db", "one Secret, in every cluster that has it bound"],
        ["secret-relay sync prod/db", "every Secret that is made from that source"],
        ["secret-relay sync --all --cluster prod", "everything that is bound in one cluster"],
      ),
    )
    .action(cli.runs((what: string | undefined, options: SyncOptions) => sync(cli, what, options)));
};

async function sync(cli: CommandLine, what: string | undefined, options: SyncOptions) {
  if (what === undefined && options.all !== true && options.cluster === undefined) {
    throw new UsageError("Say what to sync: namespace/name, the name or ARN of a source, or --all.");
  }
  const { openLive } = await import("../live/open-live.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { syncAndLook } = await import("../live/sync-and-look.ts");
  const live = await openLive(cli, options);
  const groups = selectBindings(live.index, {
    ...(what !== undefined && { what }),
    ...(options.cluster && { clusters: options.cluster }),
  });
  const synced = await withProgress(cli.terminal, "syncing", (tell) =>
    syncAndLook(live, groups, { timeoutMs: Number(options.timeout) * 1_000, tell }),
  );
  const results = synced.map(resultOf);
  const isFine = results.every((result) => result.isCurrent && !result.isFailed);
  if (options.json === true) {
    cli.terminal.out(JSON.stringify({ ok: isFine, targets: results.map((result) => result.json) }));
  } else print(cli, results);
  return isFine ? EXIT.done : EXIT.failed;
}

type Result = ReturnType<typeof resultOf>;

function resultOf({ before, after, outcome }: Synced) {
  const current = after.source.kind === "current" ? after.source.versionId : undefined;
  const held = heldIn(after);
  const isCurrent = current !== undefined && held?.versionId === current;
  const { target, kind } = outcome;
  const isFailed = kind === "refused" || kind === "failed";
  const json = {
    target,
    source: after.binding.source.id,
    outcome: kind,
    before: heldIn(before) ?? null,
    after: held ?? null,
    currentVersionId: current ?? null,
    stale: !isCurrent,
    ...(isFailed && { code: outcome.code, advice: outcome.advice }),
    ...(outcome.restarts && { restarts: outcome.restarts }),
  };
  return { target, isCurrent, isFailed, json };
}

function heldIn({ target }: Sight): { versionId?: string; writtenAt?: string } | undefined {
  if (target.kind !== "there") return undefined;
  const { annotations } = target.live;
  const versionId = annotations["secret-relay/version-id"];
  const writtenAt = annotations["secret-relay/written-at"];
  return { ...(versionId && { versionId }), ...(writtenAt && { writtenAt }) };
}

function print({ terminal, now }: CommandLine, results: readonly Result[]): void {
  const cell = (held: Result["json"]["before"]): string => {
    if (held === null) return "-";
    const age = held.writtenAt === undefined ? "" : ` (${printAge(now() - Date.parse(held.writtenAt))})`;
    return `${held.versionId === undefined ? "unknown" : shortVersion(held.versionId)}${age}`;
  };
  const rows = results.map(({ target, isCurrent, isFailed, json }) => [
    nameOf(target),
    terminal.paint(isFailed ? "red" : "green", json.outcome),
    cell(json.before),
    cell(json.after),
    isCurrent ? terminal.paint("green", "yes") : terminal.paint("red", "no"),
  ]);
  terminal.out(table(terminal, ["SECRET", "OUTCOME", "BEFORE", "NOW", "CURRENT"], rows));
  for (const { target, json } of results) {
    if (json.code !== undefined) terminal.say(`${nameOf(target)}: ${json.code}: ${json.advice}`);
  }
}

const nameOf = ({ cluster, namespace, name }: TargetRef): string => `${cluster}/${namespace}/${name}`;
