import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand } from "../cli.ts";
import type { CheckResult } from "../doctor/check-result.ts";
import type { DoctorOptions } from "../doctor/run-doctor.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { addStackOption } from "../live/function-options.ts";
import { addAwsOptions, addClusterOptions } from "../live/options.ts";
import { explainOrphansUnknown } from "../targets/explain-row.ts";
import { IN_ORDER_HELP, isInOrder } from "../targets/rows.ts";
import { withProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";

export const addDoctor: AddCommand = (program, cli) => {
  const command = program
    .command("doctor")
    .summary("find what is wrong, and say what puts it right")
    .description(
      "Checks everything that a rotation passes through: credentials, clock, stack, functions, rules, queues, sweeps, events, and of each cluster its endpoint, access entries, namespaces, RBAC and bound Secrets. It changes nothing. A check that could not be made is unknown and says what it needs.",
    )
    .addOption(bindingsOption())
    .option("--values", "read every bound value once, too, to see whether it is allowed and fits its binding")
    .option("--json", "print one JSON object");
  addStackOption(addClusterOptions(addAwsOptions(command)))
    .addHelpText(
      "after",
      `${examples(
        ["secret-relay doctor", "when something does not work, and after a deployment"],
        ["secret-relay doctor --json", "for a script"],
      )}\n\nEnds with 1 when something is wrong, or a Secret is not in order or unknown. ${IN_ORDER_HELP}`,
    )
    .action(
      cli.runs(async (options: DoctorOptions & { readonly json?: boolean }) => {
        const { terminal } = cli;
        const { runDoctor } = await import("../doctor/run-doctor.ts");
        const { checks, targets, orphansUnknown } = await withProgress(terminal, "checking", (tell) =>
          runDoctor(cli, options, tell),
        );
        const isWrong = checks.some(({ status }) => status === "wrong") || !targets.every(isInOrder);
        if (options.json === true) {
          terminal.out(JSON.stringify({ ok: !isWrong, checks, targets, orphansUnknown }));
        } else {
          terminal.out(print(terminal, checks));
          for (const remark of explainOrphansUnknown(orphansUnknown)) terminal.say(remark);
        }
        return isWrong ? EXIT.failed : EXIT.done;
      }),
    );
};

function print({ paint }: Terminal, checks: readonly CheckResult[]): string {
  const signs = { ok: paint("green", "✓"), wrong: paint("red", "✗"), unknown: paint("yellow", "?") };
  // One dead cluster makes all of its Secrets unknown, for one reason.
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
  const sums = [`${count("ok")} in order`, `${count("wrong")} wrong`, `${count("unknown")} unknown`];
  return [...lines, sums.join(", ")].join("\n");

  function lineOf({ check, status, code, says, fix }: CheckResult, about: string): string {
    const what = `${signs[status]} ${check}${about}: ${says}`;
    if (fix === undefined) return what;
    const because = code === undefined ? "" : ` ${paint("dim", `[${code}]`)}`;
    return status === "unknown" ? `${what}${because}, needs ${fix}` : `${what}${because}\n    ${fix}`;
  }
}
