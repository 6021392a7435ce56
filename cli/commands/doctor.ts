import { bindingsOption } from "../bindings-file.ts";
import type { AddCommand } from "../cli.ts";
import type { CheckResult } from "../doctor/check-result.ts";
import type { DoctorOptions } from "../doctor/run-doctor.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { addStackOption } from "../live/function-options.ts";
import { addAwsOptions, addClusterOptions } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";

export const addDoctor: AddCommand = (program, cli) => {
  const command = program
    .command("doctor")
    .summary("find what is wrong, and say what puts it right")
    .description(
      "Looks at everything that a rotation passes through: credentials, clock, stack, functions, rules, queues, sweeps, events, and of each cluster its endpoint, access entries, namespaces, RBAC and bound Secrets. It changes nothing. Ends with 1 when something is wrong; what could not be looked at says what it needs.",
    )
    .addOption(bindingsOption())
    .option("--values", "read every bound value once, too, to see whether it is allowed and fits its binding")
    .option("--json", "print one JSON object");
  addStackOption(addClusterOptions(addAwsOptions(command)))
    .addHelpText(
      "after",
      examples(
        ["secret-relay doctor", "when something does not work, and after a deployment"],
        ["secret-relay doctor --json", "for a script"],
      ),
    )
    .action(
      cli.runs(async (options: DoctorOptions & { readonly json?: boolean }) => {
        const { terminal } = cli;
        const { runDoctor } = await import("../doctor/run-doctor.ts");
        const checks = await withProgress(terminal, "looking", (tell) => runDoctor(cli, options, tell));
        const isWrong = checks.some(({ status }) => status === "wrong");
        if (options.json === true) terminal.out(JSON.stringify({ ok: !isWrong, checks }));
        else terminal.out(print(terminal, checks));
        return isWrong ? EXIT.failed : EXIT.done;
      }),
    );
};

function print({ paint }: Terminal, checks: readonly CheckResult[]): string {
  const signs = { ok: paint("green", "✓"), wrong: paint("red", "✗"), skipped: paint("yellow", "-") };
  const lines = checks.flatMap(({ check, about, status, code, says, fix }) => {
    const what = `${signs[status]} ${check}${about === undefined ? "" : ` ${about}`}: ${says}`;
    if (fix === undefined) return [what];
    if (status === "skipped") return [`${what}, needs ${fix}`];
    return [`${what} ${paint("dim", `[${code}]`)}`, `    ${fix}`];
  });
  const count = (status: CheckResult["status"]) => checks.filter((one) => one.status === status).length;
  const sums = [`${count("ok")} in order`, `${count("wrong")} wrong`, `${count("skipped")} not looked at`];
  return [...lines, sums.join(", ")].join("\n");
}
