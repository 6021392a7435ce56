import { type AddCommand, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import type { CheckResult } from "../doctor/check-result.ts";
import type { DoctorOptions } from "../doctor/run-doctor.ts";
import { addSessionOptions } from "../live/options.ts";
import { explainOrphansUnknown } from "../targets/explain-row.ts";
import { IN_ORDER_HELP, isInOrder } from "../targets/rows.ts";
import { withProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";

export const addDoctor: AddCommand = (program, cli) => {
  const command = defineCommand(program, "doctor", {
    summary: "check the installation, and show how to fix each problem",
    description:
      "Checks everything that a rotation depends on: credentials, clock, stack, functions, rules, queues, sweeps and events, and for each cluster its endpoint, access entries, namespaces, RBAC and bound Secrets. It changes nothing. If a check cannot run, its result is unknown, with the permission or resource that it needs.",
    examples: [
      ["secret-relay doctor", "after a deployment, or to find a problem"],
      ["secret-relay doctor --values", "also check that every source can be read"],
    ],
    note: `Ends with 1 if a check fails, or if a Secret is unknown or not in order. ${IN_ORDER_HELP}`,
  });
  command.option("--values", "also read every bound value once, to check permissions and keys");
  addSessionOptions(command).action(
    cli.runs(async (options: DoctorOptions & { readonly json?: boolean }) => {
      const { terminal } = cli;
      const { runDoctor } = await import("../doctor/run-doctor.ts");
      const { checks, targets, orphansUnknown } = await withProgress(terminal, "checking", (reportProgress) =>
        runDoctor(cli, options, reportProgress),
      );
      const ok = checks.every(({ status }) => status !== "wrong") && targets.every(isInOrder);
      return finish(cli, options, { ok, checks, targets, orphansUnknown }, () => {
        terminal.out(print(terminal, checks));
        for (const remark of explainOrphansUnknown(orphansUnknown)) terminal.say(remark);
      });
    }),
  );
};

function print({ paint }: Terminal, checks: readonly CheckResult[]): string {
  const signs = { ok: paint("green", "✓"), wrong: paint("red", "✗"), unknown: paint("yellow", "?") };
  // An unreachable cluster makes all of its Secrets unknown, for one reason.
  const groups = Map.groupBy(checks, ({ check, about = "", status, code, fix }) =>
    status === "unknown" ? `${check} ${about.split("/")[0]} ${code} ${fix}` : `${check} ${about} ${code}`,
  );
  const lines = [...groups.values()].flatMap((group) => {
    const [first] = group;
    return group.length > 1 && first?.status === "unknown"
      ? [lineOf(first, ` ${first.about?.split("/")[0]}, ${group.length} of them`)]
      : group.flatMap((one) => lineOf(one, one.about === undefined ? "" : ` ${one.about}`));
  });
  const count = (status: CheckResult["status"]) => checks.filter((one) => one.status === status).length;
  return [...lines, `${count("ok")} in order, ${count("wrong")} wrong, ${count("unknown")} unknown`].join(
    "\n",
  );

  function lineOf({ check, status, code, says, fix }: CheckResult, about: string): string {
    const result = `${signs[status]} ${check}${about}: ${says}`;
    if (fix === undefined) return result;
    const codeText = code === undefined ? "" : ` ${paint("dim", `[${code}]`)}`;
    return status === "unknown" ? `${result}${codeText}, needs ${fix}` : `${result}${codeText}\n    ${fix}`;
  }
}
