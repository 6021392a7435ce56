import { Argument } from "commander";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { addAwsOptions, addClusterOptions, type LiveOptions } from "../live/options.ts";
import { printStatus } from "../status/print-status.ts";
import type { BindingStatus } from "../status/status-of.ts";
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
    .summary("show each binding: version, age, last sync, what is wrong")
    .description(
      "Shows each binding as it is now, the worst first, from metadata alone: no value is read. It ends with 1 when one is not current, or could not be looked at. The last error is that of the relay's Kubernetes Events, where a binding says events: true; all others are in the functions' log.",
    )
    .addArgument(new Argument("[what]", "namespace/name of a Secret, or the name or ARN of a source"))
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .addOption(bindingsOption())
    .option("-w, --watch", "look again and again, until Ctrl-C")
    .option("--interval <seconds>", "how often --watch looks", "5")
    .option("--json", "print one JSON object; with --watch one a line");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      examples(
        ["secret-relay status", "everything that is bound, the worst first"],
        ["secret-relay status shop/db --watch", "one Secret, again every 5 seconds"],
        ["secret-relay status --json | jq '.bindings[] | select(.state != \"current\")'", "for a script"],
      ),
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
  const look = () =>
    withProgress(cli.terminal, "looking", () => gatherStatus(live, groups, startTimeBudget(LOOK_MS_MAX)));
  let statuses = await look();
  print(cli, statuses, options);
  while (options.watch === true) {
    await waitFor(intervalMs, new AbortController().signal);
    statuses = await look();
    print(cli, statuses, options);
  }
  return statuses.every(({ state }) => state === "current") ? EXIT.done : EXIT.failed;
}

const LOOK_MS_MAX = 300_000;

function print(
  { terminal, now }: CommandLine,
  bindings: readonly BindingStatus[],
  { json, watch }: StatusOptions,
) {
  if (json === true) {
    const ok = bindings.every(({ state }) => state === "current");
    terminal.out(JSON.stringify({ ok, at: new Date(now()).toISOString(), bindings }));
    return;
  }
  if (watch === true) terminal.clear();
  terminal.out(printStatus(terminal, bindings, now()));
}

function parseInterval(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 1 && seconds <= 3_600) return seconds * 1_000;
  throw new UsageError(`${text} is no number of seconds from 1 to 3600. Correct --interval.`);
}
