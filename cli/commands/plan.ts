import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import type { ExitCode } from "../exit-code.ts";
import { addSelectionOptions, type SelectionOptions, targetArgument } from "../live/options.ts";
import { countActions, printPlan } from "../plan/print-plan.ts";
import { remarksOn } from "../targets/explain-row.ts";
import { byName, isChange } from "../targets/rows.ts";
import { withProgress } from "../terminal/progress.ts";

type PlanOptions = SelectionOptions & {
  readonly values?: boolean;
  readonly all?: boolean;
  readonly exitCode?: boolean;
};

export const addPlan: AddCommand = (program, cli) => {
  const command = defineCommand(program, "plan", {
    summary: "show what a sync or a sweep would change",
    description:
      "Compares the bindings with the clusters and changes nothing. By metadata it reads no value, and cannot show which keys a new version changes; with --values it reads both sides and names the keys. No value is ever shown.",
    examples: [
      ["secret-relay plan", "the changes of a sweep with the published bindings"],
      ["secret-relay plan -b bindings.yaml", "before a merge: the changes of this file"],
      ["secret-relay plan shop/db --values", "one Secret, with the names of its keys"],
      ["secret-relay plan --exit-code", "for CI: 0 only if there is nothing to do"],
    ],
    note: "Ends with 1 if a Secret is unknown. With --exit-code also if there are changes or refusals. Orphans are listed if [what] is left out.",
  })
    .addArgument(targetArgument())
    .option("--values", "read the values of both sides and compare them")
    .option("--all", "also list Secrets that are in order")
    .option("--exit-code", "end with 1 if there is a change or a refusal");
  addSelectionOptions(command).action(
    cli.runs((what: string | undefined, options: PlanOptions) => plan(cli, what, options)),
  );
};

async function plan(cli: CommandLine, what: string | undefined, options: PlanOptions): Promise<ExitCode> {
  const { terminal } = cli;
  const { openSelection } = await import("../live/open-session.ts");
  const { assessTargets } = await import("../targets/assess-targets.ts");
  const { session, groups } = await openSelection(cli, what, options);
  const filter = {
    mode: options.values ? ("values" as const) : ("metadata" as const),
    clusters: options.cluster,
    groups: what === undefined ? undefined : groups,
  };
  const report = await withProgress(terminal, "comparing", () =>
    assessTargets(session, filter, startTimeBudget(PLAN_MS_MAX)),
  );
  const { ownMetadata } = session.index;
  const { mode, orphansUnknown } = report;
  const targets = report.targets.toSorted(byName);
  const isComplete = targets.every(({ action }) => action !== "unknown");
  const changes = targets.some((row) => isChange(row) || row.action === "refuse");
  const ok = isComplete && !(changes && options.exitCode === true);
  const summary = countActions(targets);
  const result = { ok, relay: ownMetadata.identity, mode, changes, summary, targets, orphansUnknown };
  return finish(cli, options, result, () => {
    terminal.out(printPlan(terminal, targets, { showsAll: options.all === true, now: cli.now() }));
    for (const remark of remarksOn(result, ownMetadata)) terminal.say(remark);
  });
}

const PLAN_MS_MAX = 300_000;
