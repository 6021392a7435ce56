import { randomUUID } from "node:crypto";
import type { ClusterConfig, ExternalSecretsRule } from "../../shared/bindings/binding.ts";
import type { TriggerOutcome } from "../../shared/external-secrets/outcome.ts";
import type { ForceRequest } from "../../shared/external-secrets/trigger-cluster.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import {
  addSelectionOptions,
  parseSeconds,
  requireSelection,
  type SelectionOptions,
  targetArgument,
} from "../live/options.ts";
import { checkClusters } from "../live/select-bindings.ts";
import { withProgress } from "../terminal/progress.ts";
import { table } from "../terminal/table.ts";

type TriggerOptions = SelectionOptions & {
  readonly all?: boolean;
  readonly namespace?: readonly string[];
  readonly timeout: string;
};

export const addTrigger: AddCommand = (program, cli) => {
  const command = defineCommand(program, "trigger", {
    summary: "make External Secrets Operator refresh ExternalSecrets now",
    description:
      "Annotates ExternalSecrets, so that External Secrets Operator reads their source now, and waits until each is refreshed. It works in the clusters that have externalSecrets in the bindings. It reads no Secret.",
    examples: [
      ["secret-relay trigger shop/db", "the ExternalSecret db in namespace shop"],
      [
        "secret-relay trigger prod/db",
        "all objects that read this source, and the objects that depend on them",
      ],
      ["secret-relay trigger --all -n shop --cluster prod", "all ExternalSecrets of one namespace"],
    ],
    note: "Ends with 1 if an ExternalSecret was not refreshed, or none was found.",
  })
    .addArgument(targetArgument("an ExternalSecret"))
    .option("--all", "every ExternalSecret of the namespaces")
    .option("-n, --namespace <name...>", "search these namespaces instead of those in the bindings")
    .option("--timeout <seconds>", "stop after this time", "60");
  addSelectionOptions(command).action(
    cli.runs((what: string | undefined, options: TriggerOptions) => trigger(cli, what, options)),
  );
};

async function trigger(
  cli: CommandLine,
  what: string | undefined,
  options: TriggerOptions,
): Promise<ExitCode> {
  const { source, request } = parseWhat(what, options);
  const timeoutMs = parseSeconds("--timeout", options.timeout);
  const outcomes = await withProgress(cli.terminal, "waiting for External Secrets Operator", async () => {
    const { openSession } = await import("../live/open-session.ts");
    const session = await openSession(cli, options);
    const { announceWrites } = await import("../live/announce-writes.ts");
    const rules = rulesOf(session.rules.clusters, options, timeoutMs);
    announceWrites(cli, session, Object.keys(rules));
    const budget = startTimeBudget(timeoutMs);
    const found = await session.trigger(
      {
        rules,
        change: { ...(source && { source }), webhookIds: [], self: session.aws.location },
        stamp: { versionId: "by-hand", eventId: randomUUID() },
        written: Promise.resolve([]),
        ...(request && { asked: request }),
      },
      budget,
    );
    const isOver = budget.remainingMs() === 0;
    return found.map((outcome) => namingTimeout(outcome, { isOver, seconds: options.timeout }));
  });
  const isFound = outcomes.length > 0;
  if (!isFound) cli.terminal.say(`No ExternalSecret has the name ${what} or reads this source.`);
  return finish(cli, options, { ok: isFound && outcomes.every(isDone), objects: outcomes }, () => {
    if (isFound) print(cli, outcomes);
  });
}

/** When the time of the command is over, a request that it stopped looks like a cluster that does not answer. */
function namingTimeout(
  outcome: TriggerOutcome,
  { isOver, seconds }: { isOver: boolean; seconds: string },
): TriggerOutcome {
  if (outcome.kind !== "failed") return outcome;
  const isStopped = isOver && outcome.code === "CLUSTER_UNAVAILABLE";
  if (!isStopped && outcome.code !== "EXTERNAL_SECRET_NOT_REFRESHED") return outcome;
  return {
    ...outcome,
    code: "EXTERNAL_SECRET_NOT_REFRESHED",
    advice: `The time of --timeout (${seconds} s) was over before the command saw a refresh. Allow more time with --timeout, and check that ESO is running.`,
  };
}

type Selected = { readonly source?: SecretReference; readonly request?: ForceRequest };

/** A name that matches both an object and a source selects both, because an extra refresh is harmless. */
function parseWhat(what: string | undefined, { all }: TriggerOptions): Selected {
  requireSelection("refresh", what, { all });
  if (what === undefined) return { request: { everything: true } };
  const [, namespace = "", name = ""] = OBJECT_NAME.exec(what) ?? [];
  const source = parseSecretReference(what, "any");
  if (source === undefined && namespace === "") {
    throw new UsageError(`${what} is neither namespace/name nor the name or ARN of a secret.`);
  }
  return {
    ...(source && { source }),
    ...(namespace !== "" && { request: { named: { namespace, name } } }),
  };
}

const OBJECT_NAME = /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?)$/;

/** The clusters with trigger mode, or the clusters of --cluster, which do not need it. */
function rulesOf(
  clusters: Readonly<Record<string, ClusterConfig>>,
  { cluster, namespace }: TriggerOptions,
  timeoutMs: number,
): Readonly<Record<string, ExternalSecretsRule>> {
  const keys = Object.keys(clusters);
  checkClusters(keys, cluster);
  const selected = cluster ?? keys.filter((key) => clusters[key]?.externalSecrets !== undefined);
  if (selected.length === 0) {
    throw new UsageError(
      "No cluster of the bindings has externalSecrets. Select one with --cluster, or add externalSecrets to its entry.",
    );
  }
  const deadlineSeconds = timeoutMs / 1_000;
  return Object.fromEntries(
    selected.map((key) => {
      const namespaces = namespace ?? clusters[key]?.externalSecrets?.namespaces ?? "all";
      return [key, { namespaces, deadlineSeconds }];
    }),
  );
}

/** A PushSecret that writes the source itself is skipped on purpose, so it counts as done. */
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
  terminal.out(table(terminal, ["OBJECT", "OUTCOME", "AFTER", "NUDGES", "CODE"], rows));
  for (const outcome of outcomes) {
    if ("code" in outcome) terminal.say(`${outcome.object}: ${outcome.code}: ${outcome.advice}`);
  }
}
