import { bindingsOption, loadBindingsFile } from "../bindings-file.ts";
import { type AddCommand, type Cli, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import { KNOWN } from "../tune/known-numbers.ts";
import { loadOfBindings } from "../tune/load.ts";
import { DEFAULTS, parseSituation, type TuneFlags } from "../tune/parse-situation.ts";
import { planIntervals } from "../tune/plan-intervals.ts";
import { printPlan, printSources } from "../tune/print-plan.ts";

type Options = TuneFlags & {
  readonly bindings: string;
  readonly json?: boolean;
  readonly sources?: boolean;
};

export const addTune: AddCommand = (program, cli) => {
  defineCommand(program, "tune", {
    summary: "compare polling with the relay: staleness, API calls and cost",
    description:
      "Calculates how long a Kubernetes Secret is stale after a rotation, and the cost, for an operator that polls and for the relay. It does not call AWS or a cluster.",
    examples: [
      ["secret-relay tune", "for bindings.yaml and the default interval of External Secrets Operator, 1h"],
      ["secret-relay tune --secrets 200 --namespaces 3 --interval 10m", "without bindings"],
    ],
  })
    .addOption(bindingsOption())
    .option("--secrets <n>", "the number of sources, instead of bindings")
    .option("--namespaces <n>", "the number of namespaces for each source (default: 1)")
    .option("--targets <n>", "the total number of Kubernetes Secrets, instead of --namespaces")
    .option("--clusters <n>", "the number of clusters (default: 1)")
    .option("--interval <time>", `your polling interval (default: ${DEFAULTS.interval})`)
    .option("--sweep-interval <time>", `the time between two sweeps (default: ${DEFAULTS.sweepInterval})`)
    .option("--rotate-every <time>", `the time between two rotations (default: ${DEFAULTS.rotateEvery})`)
    .option(
      "--credential-life <time>",
      `the lifetime of the operator's AWS credentials (default: ${DEFAULTS.credentialLife})`,
    )
    .option(
      "--event-loss <share>",
      `the share of rotations without an event (default: ${DEFAULTS.eventLoss})`,
    )
    .option(
      "--delivery-delay <time>",
      `the time from a rotation to the write (default: ${DEFAULTS.deliveryDelay})`,
    )
    .option("--poll-failures <share>", `the share of polls that fail (default: ${DEFAULTS.pollFailures})`)
    .option("--tolerate <time>", `the time that a Secret may be stale (default: ${DEFAULTS.tolerate})`)
    .option("--sources", "list the source of each price and quota")
    .option("--json", "print the result as one JSON object")
    .action(
      cli.runs(async (options: Options, { args }: { args: string[] }) => {
        if (args.length > 0) throw new UsageError("tune takes no arguments. See tune --help.");
        const parsed = parseSituation(options, await loadOf(cli, options));
        if (parsed.kind === "wrong") throw new UsageError(messageOf(parsed.problems));
        const plan = planIntervals(parsed.situation);
        const { terminal } = cli;
        return finish(cli, options, { ok: true, ...plan, sources: KNOWN }, () => {
          terminal.out(printPlan(terminal, plan));
          if (options.sources) terminal.out(`\n${printSources(terminal)}`);
        });
      }),
    );
};

/** The load of the bindings; undefined if the options give numbers. */
async function loadOf(cli: Cli, { bindings, ...flags }: Options) {
  const hasNumbers = (["secrets", "namespaces", "targets", "clusters"] as const).some(
    (name) => flags[name] !== undefined,
  );
  if (hasNumbers) return undefined;
  const load = loadOfBindings(await loadBindingsFile(cli, bindings));
  if (load.targets > 0) return load;
  throw new UsageError(`${bindings} has no bindings. Use numbers instead, for example --secrets 200.`);
}

function messageOf(problems: readonly string[]): string {
  return problems.length === 1
    ? `${problems[0]}.`
    : `${problems.length} flags are wrong:\n  ${problems.join(".\n  ")}.`;
}
