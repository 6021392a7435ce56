import { randomUUID } from "node:crypto";
import { Argument } from "commander";
import type { ClusterConfig, ExternalSecretsRule } from "../../shared/bindings/binding.ts";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import type { TriggerOutcome } from "../../shared/external-secrets/outcome.ts";
import type { Asked } from "../../shared/external-secrets/trigger-cluster.ts";
import { parseSecretReference } from "../../shared/secret-id/parse-secret-reference.ts";
import type { SecretReference } from "../../shared/secret-id/secret-id.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { parseTimeout } from "../live/function-options.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";
import { table } from "../terminal/table.ts";

type TriggerOptions = LiveOptions & {
  readonly all?: boolean;
  readonly cluster?: readonly string[];
  readonly namespace?: readonly string[];
  readonly timeout: string;
  readonly json?: boolean;
};

export const addTrigger: AddCommand = (program, cli) => {
  const command = program
    .command("trigger")
    .summary("make External Secrets Operator refresh ExternalSecrets now")
    .description(
      "Annotates ExternalSecrets so that External Secrets Operator reads their source now, in the clusters whose entry in the bindings says externalSecrets; waits until each is refreshed, and ends with 1 when one is not. No Secret is read.",
    )
    .addArgument(
      new Argument("[what]", "namespace/name of an ExternalSecret, or the name or ARN of a source"),
    )
    .option("--all", "every ExternalSecret of the namespaces")
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .option("-n, --namespace <name...>", "look in these namespaces, whatever the bindings say")
    .addOption(bindingsOption())
    .option("--timeout <seconds>", "give up after so long", "60")
    .option("--json", "print one JSON object");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      examples(
        ["secret-relay trigger shop/db", "the ExternalSecret db of namespace shop"],
        ["secret-relay trigger prod/db", "whatever reads that source, and what is pushed on from there"],
        ["secret-relay trigger --all -n shop --cluster prod", "all of one namespace"],
      ),
    )
    .action(cli.runs((what: string | undefined, options: TriggerOptions) => trigger(cli, what, options)));
};

async function trigger(
  cli: CommandLine,
  what: string | undefined,
  options: TriggerOptions,
): Promise<ExitCode> {
  const meant = parseWhat(what, options);
  const timeoutMs = parseTimeout(options.timeout);
  const outcomes = await withProgress(cli.terminal, "waiting for External Secrets Operator", async () => {
    const { openLive } = await import("../live/open-live.ts");
    const { triggerWith } = await import("../../shared/wiring/trigger.ts");
    const live = await openLive(cli, options);
    const rules = rulesOf(live.bindings.clusters, options, timeoutMs);
    const run = triggerWith({ ...live, log: () => {}, measure: () => {} });
    return run(
      {
        rules,
        change: { ...(meant.source && { source: meant.source }), webhookIds: [], self: live.aws.home },
        stamp: { versionId: "by-hand", eventId: randomUUID() },
        written: Promise.resolve([]),
        ...(meant.asked && { asked: meant.asked }),
      },
      startTimeBudget(timeoutMs),
    );
  });
  const isFound = outcomes.length > 0;
  const ok = isFound && outcomes.every(isDone);
  if (options.json === true) cli.terminal.out(JSON.stringify({ ok, objects: outcomes }));
  else if (isFound) print(cli, outcomes);
  if (!isFound) cli.terminal.say(`No ExternalSecret there is or reads ${what}.`);
  return ok ? EXIT.done : EXIT.failed;
}

type Meant = { readonly source?: SecretReference; readonly asked?: Asked };

/** What reads both as an object's name and as a source means both: a refresh too many is harmless. */
function parseWhat(what: string | undefined, { all }: TriggerOptions): Meant {
  if (what === undefined && all !== true) {
    throw new UsageError("Say what to refresh: namespace/name, the name or ARN of a source, or --all.");
  }
  if (what === undefined) return { asked: { everything: true } };
  if (all === true) throw new UsageError("Give a name or --all, not both.");
  const [, namespace = "", name = ""] = OBJECT_NAME.exec(what) ?? [];
  const source = parseSecretReference(what, "any");
  if (source === undefined && namespace === "") {
    throw new UsageError(`${what} is neither namespace/name nor the name or ARN of a secret.`);
  }
  return {
    ...(source && { source }),
    ...(namespace !== "" && { asked: { named: { namespace, name } } }),
  };
}

const OBJECT_NAME = /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?)$/;

/** The clusters that have trigger mode; or those that are named, where a person may look without it. */
function rulesOf(
  clusters: Readonly<Record<string, ClusterConfig>>,
  { cluster, namespace }: TriggerOptions,
  timeoutMs: number,
): Readonly<Record<string, ExternalSecretsRule>> {
  const keys = Object.keys(clusters);
  const unknown = cluster?.find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    const meant = suggestName(unknown, keys);
    throw new UsageError(
      `The bindings have no cluster ${unknown}. ${meant ? `Did you mean ${meant}?` : `They have: ${keys.join(", ")}.`}`,
    );
  }
  const chosen = cluster ?? keys.filter((key) => clusters[key]?.externalSecrets !== undefined);
  if (chosen.length === 0) {
    throw new UsageError(
      "No cluster of the bindings says externalSecrets. Name one with --cluster, or add externalSecrets to its entry.",
    );
  }
  const deadlineSeconds = timeoutMs / 1_000;
  return Object.fromEntries(
    chosen.map((key) => {
      const namespaces = namespace ?? clusters[key]?.externalSecrets?.namespaces ?? "all";
      return [key, { namespaces, deadlineSeconds }];
    }),
  );
}

/** A PushSecret that must not be nudged is told, and is no failure of what was asked. */
const isDone = (outcome: TriggerOutcome): boolean =>
  outcome.kind === "refreshed" ||
  outcome.kind === "already" ||
  (outcome.kind === "ignored" && outcome.code === "PUSH_SECRET_WRITES_SOURCE");

function print({ terminal }: CommandLine, outcomes: readonly TriggerOutcome[]): void {
  const rows = outcomes.map((outcome) => [
    `${outcome.cluster}/${outcome.object}`,
    terminal.paint(isDone(outcome) ? "green" : "red", outcome.kind),
    outcome.kind === "refreshed" ? `${outcome.ms} ms` : "",
    "nudges" in outcome ? String(outcome.nudges) : "",
    "code" in outcome ? outcome.code : "",
  ]);
  terminal.out(table(terminal, ["OBJECT", "OUTCOME", "AFTER", "NUDGES", "WHY"], rows));
  for (const outcome of outcomes) {
    if ("code" in outcome) terminal.say(`${outcome.object}: ${outcome.code}: ${outcome.advice}`);
  }
}
