import { Argument } from "commander";
import { HOLD_MS_MAX } from "../../shared/assess/hold.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { HoldRow } from "../hold/hold-secrets.ts";
import { addAwsOptions, addClusterOptions, requireSelection, type SessionOptions } from "../live/options.ts";
import { parseDuration } from "../terminal/parse-duration.ts";

type HoldOptions = SessionOptions & {
  readonly for?: string;
  readonly release?: boolean;
  readonly all?: boolean;
  readonly cluster?: readonly string[];
  readonly json?: boolean;
};

export const addHold: AddCommand = (program, cli) => {
  const command = program
    .command("hold")
    .summary("keep a Secret as it is for a while, or release it")
    .description(
      "Tells every relay to leave a Secret as it is until a time at most 24 hours from now, for example to keep a hand edit during an incident. The relay still reports what is wrong with the Secret, but does not write it: rotations are stopped too, so a rotated password does not arrive until the hold ends. The hold is the annotation secret-relay/hold-until on the Secret, set with your own rights (get and patch).",
    )
    .addArgument(new Argument("[what]", "namespace/name of a Secret, or the name or ARN of a source"))
    .option("--for <duration>", "how long, such as 30m or 2h; at most 24h")
    .option("--release", "end the hold now")
    .option("--all", "everything that is bound")
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .addOption(bindingsOption())
    .option("--json", "print one JSON object");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      examples(
        ["secret-relay hold shop/db --for 2h", "keep shop/db as it is for two hours"],
        ["secret-relay hold shop/db --release", "let the relay write it again"],
      ),
    )
    .action(cli.runs((what: string | undefined, options: HoldOptions) => hold(cli, what, options)));
};

async function hold(cli: CommandLine, what: string | undefined, options: HoldOptions): Promise<ExitCode> {
  requireSelection("hold", what, options);
  const until = parseUntil(cli.now(), options);
  const { openSession } = await import("../live/open-session.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { holdSecrets } = await import("../hold/hold-secrets.ts");
  const live = await openSession(cli, options);
  const groups = selectBindings(live.index, {
    ...(what !== undefined && { what }),
    ...(options.cluster && { clusters: options.cluster }),
  });
  const bindings = groups.flatMap((group) => group.bindings);
  const rows = await holdSecrets(live, bindings, until, startTimeBudget(HOLD_TIMEOUT_MS));
  const ok = rows.every(({ outcome }) => outcome !== "failed");
  const { terminal } = cli;
  if (options.json === true) {
    terminal.out(JSON.stringify({ ok, ...(until !== undefined && { until }), targets: rows }));
    return ok ? EXIT.done : EXIT.failed;
  }
  for (const row of rows) terminal.out(`${nameOfTarget(row)}: ${wordsOf(row)}`);
  if (rows.some(({ outcome }) => outcome === "held")) {
    terminal.say(
      `Until ${until} no relay writes what is held, and a rotation does not reach it. To end that: secret-relay hold ${what ?? "--all"} --release`,
    );
  }
  if (rows.some(({ outcome }) => outcome === "released")) {
    terminal.say(`The next sweep or rotation writes it. Now: secret-relay sync ${what ?? "--all"}`);
  }
  return ok ? EXIT.done : EXIT.failed;
}

const HOLD_TIMEOUT_MS = 60_000;

function parseUntil(now: number, { for: duration, release }: HoldOptions): string | undefined {
  if ((duration === undefined) === (release !== true)) {
    throw new UsageError("Give either --for <duration> or --release.");
  }
  if (duration === undefined) return undefined;
  const ms = parseDuration(duration);
  if (ms === undefined || ms < 1_000 || ms > HOLD_MS_MAX) {
    throw new UsageError("--for must be between 1s and 24h, such as 30m or 2h.");
  }
  return new Date(now + ms).toISOString();
}

function wordsOf({ outcome, until, code, advice }: HoldRow): string {
  if (outcome === "held") return `held until ${until}`;
  return outcome === "unchanged" ? "was not held" : outcome === "failed" ? `${code}: ${advice}` : "released";
}
