import type { RelayMetadata } from "../../shared/bindings/relay-identity.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import type { ExitCode } from "../exit-code.ts";
import { addSelectionOptions, parseSeconds, type SelectionOptions, targetArgument } from "../live/options.ts";
import type { Status } from "../status/gather-status.ts";
import { printStatus } from "../status/print-status.ts";
import { remarksOn } from "../targets/explain-row.ts";
import { IN_ORDER_HELP, isInOrder } from "../targets/rows.ts";
import { withProgress } from "../terminal/progress.ts";

type StatusOptions = SelectionOptions & {
  readonly pods?: boolean;
  readonly watch?: boolean;
  readonly interval: string;
};

export const addStatus: AddCommand = (program, cli) => {
  const command = defineCommand(program, "status", {
    summary: "show each Secret: version, age, last sync and problems",
    description:
      "Shows the current state of each bound Secret and each orphan, the worst first. It reads metadata and no value. The last error comes from the Kubernetes Events of the relay, which need events: true in the binding. All other errors are in the logs of the functions.",
    examples: [
      ["secret-relay status", "all bound Secrets"],
      ["secret-relay status shop/db --watch", "one Secret, refreshed every 5 seconds"],
      ["secret-relay status --pods", "also find Pods that run with an older value"],
      ["secret-relay status --json | jq '.targets[] | select(.action != \"none\")'", "in a script"],
    ],
    note: `Ends with 1 if a Secret is unknown or not in order. ${IN_ORDER_HELP}`,
  })
    .addArgument(targetArgument())
    .option(
      "--pods",
      "find Pods that run with an older value, and why new Pods of a stuck rollout do not start; lists the Pods of each namespace",
    )
    .option("-w, --watch", "repeat until Ctrl-C")
    .option("--interval <seconds>", "the interval of --watch", "5");
  addSelectionOptions(command, "print one JSON object; with --watch, one per line").action(
    cli.runs((what: string | undefined, options: StatusOptions) => status(cli, what, options)),
  );
};

async function status(cli: CommandLine, what: string | undefined, options: StatusOptions): Promise<ExitCode> {
  const intervalMs = parseSeconds("--interval", options.interval);
  const { openSelection } = await import("../live/open-session.ts");
  const { gatherStatus } = await import("../status/gather-status.ts");
  const { session, groups } = await openSelection(cli, what, options);
  const filter = {
    groups: what === undefined ? undefined : groups,
    clusters: options.cluster,
    checksAllPods: options.pods === true,
  };
  for (;;) {
    const result = await withProgress(cli.terminal, "reading", () =>
      gatherStatus(session, groups, filter, startTimeBudget(READ_MS_MAX)),
    );
    const exitCode = print(cli, session.index.ownMetadata, result, options);
    if (options.watch !== true) return exitCode;
    await cli.wait(intervalMs, new AbortController().signal);
  }
}

const READ_MS_MAX = 300_000;

function print(
  cli: CommandLine,
  ownMetadata: RelayMetadata,
  status: Status,
  options: StatusOptions,
): ExitCode {
  const { terminal, now } = cli;
  const { targets } = status;
  const at = new Date(now()).toISOString();
  const result = { ok: targets.every(isInOrder), at, relay: ownMetadata.identity, ...status };
  return finish(cli, options, result, () => {
    if (options.watch === true) terminal.clear();
    terminal.out(printStatus(terminal, targets, now()));
    for (const remark of remarksOn(status, ownMetadata)) terminal.say(remark);
  });
}
