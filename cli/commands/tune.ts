import { writeFile } from "node:fs/promises";
import path from "node:path";
import { bindingsOption, loadBindingsFile } from "../bindings-file.ts";
import type { AddCommand, Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { drawIntervals } from "../tune/draw-intervals.ts";
import { KNOWN } from "../tune/known-numbers.ts";
import { loadOfBindings } from "../tune/load.ts";
import { DEFAULTS, parseSituation, type TuneFlags } from "../tune/parse-situation.ts";
import { planIntervals } from "../tune/plan-intervals.ts";
import { printPlan, printSources } from "../tune/print-plan.ts";

type Options = TuneFlags & {
  readonly bindings: string;
  readonly json?: boolean;
  readonly sources?: boolean;
  readonly svg?: string;
};

export const addTune: AddCommand = (program, cli) => {
  program
    .command("tune")
    .summary("choose an interval: staleness, calls and cost, polling and with the relay")
    .description(
      "Reckons how long a Kubernetes Secret is stale after a rotation, and what that costs, for an operator that polls and for the relay. Nothing is asked of AWS or a cluster.",
    )
    .addOption(bindingsOption())
    .option("--secrets <n>", "plain numbers in place of bindings: so many secrets")
    .option("--namespaces <n>", "each of them in so many namespaces (default: 1)")
    .option("--targets <n>", "or so many Kubernetes Secrets in all")
    .option("--clusters <n>", "in so many clusters (default: 1)")
    .option("--interval <time>", `your own polling interval (default: ${DEFAULTS.interval})`)
    .option("--sweep-interval <time>", `between two sweeps of the relay (default: ${DEFAULTS.sweepInterval})`)
    .option("--rotate-every <time>", `between two rotations of a secret (default: ${DEFAULTS.rotateEvery})`)
    .option(
      "--credential-life <time>",
      `of the operator's AWS credentials (default: ${DEFAULTS.credentialLife})`,
    )
    .option("--event-loss <share>", `of rotations whose event gets lost (default: ${DEFAULTS.eventLoss})`)
    .option("--delivery-delay <time>", `from a rotation to the write (default: ${DEFAULTS.deliveryDelay})`)
    .option("--poll-failures <share>", `of polls that fail (default: ${DEFAULTS.pollFailures})`)
    .option("--tolerate <time>", `how long a Secret may be stale (default: ${DEFAULTS.tolerate})`)
    .option("--svg <file>", "write a picture, staleness against cost")
    .option("--sources", "say where each price and quota is from")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      examples(
        ["secret-relay tune", "for bindings.yaml, and External Secrets Operator's default of 1h"],
        ["secret-relay tune --secrets 200 --namespaces 3 --interval 10m", "before there are bindings"],
        ["secret-relay tune --svg intervals.svg", "a picture of it"],
      ),
    )
    .action(
      cli.runs(async (options: Options, { args }: { args: string[] }) => {
        if (args.length > 0) throw new UsageError("tune takes no arguments. See tune --help.");
        const parsed = parseSituation(options, await loadOf(cli, options));
        if (parsed.kind === "wrong") throw new UsageError(complaint(parsed.problems));
        const plan = planIntervals(parsed.situation);
        if (options.svg !== undefined) await write(cli, options.svg, drawIntervals(plan));
        const { terminal } = cli;
        if (options.json) terminal.out(JSON.stringify({ ok: true, ...plan, sources: KNOWN }));
        else {
          terminal.out(printPlan(terminal, plan));
          if (options.sources) terminal.out(`\n${printSources(terminal)}`);
        }
        return EXIT.done;
      }),
    );
};

/** The bindings, unless plain numbers were given. */
async function loadOf(cli: Cli, { bindings, ...flags }: Options) {
  const numbers = (["secrets", "namespaces", "targets", "clusters"] as const).some(
    (name) => flags[name] !== undefined,
  );
  if (numbers) return undefined;
  const load = loadOfBindings(await loadBindingsFile(cli, bindings));
  if (load.targets === 0) {
    throw new UsageError(`${bindings} binds nothing yet. Give numbers instead, for example --secrets 200.`);
  }
  return load;
}

function complaint(problems: readonly string[]): string {
  return problems.length === 1
    ? `${problems[0]}.`
    : `${problems.length} flags are wrong:\n  ${problems.join(".\n  ")}.`;
}

async function write(cli: Cli, file: string, text: string): Promise<void> {
  try {
    await writeFile(path.resolve(cli.cwd, file), text);
  } catch {
    throw new UsageError(`${file} cannot be written. Check the path.`);
  }
  cli.terminal.say(`wrote ${file}`);
}
