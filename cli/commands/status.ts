import { Argument } from "commander";
import type { RelayMarks } from "../../shared/identity/relay-identity.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import type { Status } from "../status/gather-status.ts";
import { printStatus } from "../status/print-status.ts";
import { explainOrphansUnknown, identityRemark } from "../targets/explain-row.ts";
import { IN_ORDER_HELP, isInOrder } from "../targets/rows.ts";
import { withProgress } from "../terminal/progress.ts";

type StatusOptions = LiveOptions & {
  readonly cluster?: readonly string[];
  readonly watch?: boolean;
  readonly interval: string;
  readonly json?: boolean;
};

export const addStatus: AddCommand = (program, cli) => {
  const command = program
    .command("status")
    .summary("show each Secret: version, age, last sync, what is wrong")
    .description(
      "Shows each bound Secret and each orphan as it is now, the worst first. It reads metadata and no value. The last error comes from the relay's Kubernetes Events, where a binding has events: true; all others are in the log of the functions.",
    )
    .addArgument(new Argument("[what]", "namespace/name of a Secret, or the name or ARN of a source"))
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .addOption(bindingsOption())
    .option("-w, --watch", "repeat until Ctrl-C")
    .option("--interval <seconds>", "how often --watch repeats", "5")
    .option("--json", "print one JSON object; with --watch one a line");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      `${examples(
        ["secret-relay status", "everything that is bound, the worst first"],
        ["secret-relay status shop/db --watch", "one Secret, again every 5 seconds"],
        ["secret-relay status --json | jq '.targets[] | select(.action != \"none\")'", "for a script"],
      )}\n\nEnds with 1 when a Secret is not in order or is unknown. ${IN_ORDER_HELP}`,
    )
    .action(cli.runs((what: string | undefined, options: StatusOptions) => status(cli, what, options)));
};

async function status(cli: CommandLine, what: string | undefined, options: StatusOptions): Promise<ExitCode> {
  const intervalMs = parseInterval(options.interval);
  const { openLive } = await import("../live/open-live.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { gatherStatus } = await import("../status/gather-status.ts");
  const { waitFor } = await import("../../shared/retry/retry.ts");
  const live = await openLive(cli, options);
  const groups = selectBindings(live.index, {
    ...(what !== undefined && { what }),
    ...(options.cluster && { clusters: options.cluster }),
  });
  const which = {
    ...(what !== undefined && { groups }),
    ...(options.cluster && { clusters: options.cluster }),
  };
  const look = () =>
    withProgress(cli.terminal, "reading", () =>
      gatherStatus(live, groups, which, startTimeBudget(LOOK_MS_MAX)),
    );
  let seen = await look();
  print(cli, live.index.marks, seen, options);
  while (options.watch === true) {
    await waitFor(intervalMs, new AbortController().signal);
    seen = await look();
    print(cli, live.index.marks, seen, options);
  }
  return seen.targets.every(isInOrder) ? EXIT.done : EXIT.failed;
}

const LOOK_MS_MAX = 300_000;

function print(
  { terminal, now }: CommandLine,
  marks: RelayMarks,
  { targets, orphansUnknown }: Status,
  { json, watch }: StatusOptions,
) {
  if (json === true) {
    const ok = targets.every(isInOrder);
    const at = new Date(now()).toISOString();
    terminal.out(JSON.stringify({ ok, at, relay: marks.identity, targets, orphansUnknown }));
    return;
  }
  if (watch === true) terminal.clear();
  terminal.out(printStatus(terminal, targets, now()));
  for (const remark of [...explainOrphansUnknown(orphansUnknown), ...identityRemark(targets, marks)]) {
    terminal.say(remark);
  }
}

function parseInterval(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 1 && seconds <= 3_600) return seconds * 1_000;
  throw new UsageError("--interval must be between 1 and 3600 seconds.");
}
