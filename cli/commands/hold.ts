import { HOLD_MS_MAX } from "../../shared/assess/hold.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import type { HoldRow } from "../hold/hold-secrets.ts";
import {
  addSelectionOptions,
  requireSelection,
  type SelectionOptions,
  targetArgument,
} from "../live/options.ts";
import { groupByCause, nameOfGroup } from "../targets/group-by-cause.ts";
import { parseDuration } from "../terminal/parse-duration.ts";

type HoldOptions = SelectionOptions & {
  readonly for?: string;
  readonly release?: boolean;
  readonly all?: boolean;
};

export const addHold: AddCommand = (program, cli) => {
  const command = defineCommand(program, "hold", {
    summary: "stop all writes to a Secret for a while, or release it",
    description:
      "Stops every relay from writing a Secret until a time at most 24 hours from now, for example to keep a hand edit during an incident. The relay still reports what is wrong with the Secret. Rotations are stopped, too: a rotated password does not arrive until the hold ends. The hold is the annotation secret-relay/hold-until on the Secret, set with your own permissions (get and patch).",
    examples: [
      ["secret-relay hold shop/db --for 2h", "no writes to shop/db for two hours"],
      ["secret-relay hold shop/db --release", "let the relay write it again"],
    ],
  })
    .addArgument(targetArgument())
    .option("--for <duration>", "how long, such as 30m or 2h; at most 24h")
    .option("--release", "end the hold now")
    .option("--all", "all bound Secrets");
  addSelectionOptions(command).action(
    cli.runs((what: string | undefined, options: HoldOptions) => hold(cli, what, options)),
  );
};

async function hold(cli: CommandLine, what: string | undefined, options: HoldOptions): Promise<ExitCode> {
  requireSelection("hold", what, options);
  const until = parseUntil(cli.now(), options);
  const { openSelection } = await import("../live/open-session.ts");
  const { holdSecrets } = await import("../hold/hold-secrets.ts");
  const { session, groups } = await openSelection(cli, what, options);
  const bindings = groups.flatMap((group) => group.bindings);
  const { announceWrites, clustersOf } = await import("../live/announce-writes.ts");
  announceWrites(cli, session, clustersOf(bindings));
  const targets = await holdSecrets(session, bindings, until, startTimeBudget(HOLD_TIMEOUT_MS));
  const ok = targets.every(({ outcome }) => outcome !== "failed");
  return finish(cli, options, { ok, until, targets }, () => print(cli, targets, what ?? "--all"));
}

const HOLD_TIMEOUT_MS = 60_000;

function parseUntil(now: number, { for: duration, release }: HoldOptions): string | undefined {
  if ((duration === undefined) === (release !== true)) {
    throw new UsageError("Use either --for <duration> or --release.");
  }
  if (duration === undefined) return undefined;
  const ms = parseDuration(duration);
  if (ms === undefined || ms < 1_000 || ms > HOLD_MS_MAX) {
    throw new UsageError("--for must be between 1s and 24h, such as 30m or 2h.");
  }
  return new Date(now + ms).toISOString();
}

function print({ terminal }: CommandLine, rows: readonly HoldRow[], selection: string): void {
  const causeOf = (row: HoldRow) => (row.outcome === "failed" ? resultOf(row) : nameOfTarget(row));
  for (const group of groupByCause(rows, causeOf)) {
    const [first] = group;
    if (first !== undefined) terminal.out(`${nameOfGroup(group)}: ${resultOf(first)}`);
  }
  const held = rows.find(({ outcome }) => outcome === "held");
  if (held !== undefined) {
    terminal.say(
      `Until ${held.until} no relay writes the held Secrets, and rotations do not reach them. To end the hold: secret-relay hold ${selection} --release`,
    );
  }
  if (rows.some(({ outcome }) => outcome === "released")) {
    terminal.say(
      `The next sweep or rotation writes the released Secrets. To write them now: secret-relay sync ${selection}`,
    );
  }
}

function resultOf({ outcome, until, code, advice }: HoldRow): string {
  if (outcome === "held") return `held until ${until}`;
  return outcome === "unchanged" ? "was not held" : outcome === "failed" ? `${code}: ${advice}` : "released";
}
