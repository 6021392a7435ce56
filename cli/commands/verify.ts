import { Argument } from "commander";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import type { ExitCode } from "../exit-code.ts";
import { addAwsOptions, addClusterOptions, addStackOption, parseSeconds } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";
import type { VerifyOptions } from "../verify/prepare.ts";

type Options = VerifyOptions & { readonly timeout: string; readonly json?: boolean };

export const addVerify: AddCommand = (program, cli) => {
  const command = defineCommand(program, "verify", {
    summary: "prove with a canary that rotations arrive and edits are repaired",
    description:
      "Puts a new random value into the source of the canary and waits until its Secret has it. Then it edits that Secret, lets the reconcile function sweep it, and waits for the repair. It shows the time of each hop, and the first one that fails with the next command. The canary is a published binding whose source is named secret-relay/canary, or ends in /secret-relay/canary; secret-relay init --canary writes one. It writes no other source and no other Secret, publishes nothing and prints no value. You can repeat it at any time. It needs secretsmanager:PutSecretValue on the source, lambda:InvokeFunction on both functions, and get and patch on the Secret. With logs:FilterLogEvents it shows more times.",
    examples: [
      ["secret-relay verify", "the only canary"],
      ["secret-relay verify shop/secret-relay-canary", "one of several"],
      ["secret-relay verify --json", "for a script"],
    ],
    note: "Ends with 1 if a hop fails or something is missing. A direct call of the rotation function then separates a lost event from a fault behind it.",
  })
    .addArgument(
      new Argument(
        "[canary]",
        "namespace/name of its Secret, or the name of its source, if there are several",
      ),
    )
    .option("--timeout <seconds>", "how long to wait for the rotation, and again for the repair", "60")
    .option("--json", "print the result as one JSON object");
  addStackOption(addClusterOptions(addAwsOptions(command))).action(
    cli.runs((what: string | undefined, options: Options) => verify(cli, what, options)),
  );
};

async function verify(cli: CommandLine, what: string | undefined, options: Options): Promise<ExitCode> {
  const { terminal } = cli;
  const timeoutMs = parseSeconds("--timeout", options.timeout);
  const { prepare } = await import("../verify/prepare.ts");
  const { runVerify } = await import("../verify/run-verify.ts");
  const { printVerify } = await import("../verify/print-verify.ts");
  const { announceWrites } = await import("../live/announce-writes.ts");
  const result = await withProgress(terminal, "verifying", async (reportProgress) => {
    const prepared = await prepare(cli, what, options);
    announceWrites(cli, prepared.session, [prepared.binding.target.cluster]);
    return runVerify(cli, prepared, { stackName: options.stackName, timeoutMs, reportProgress });
  });
  return finish(cli, options, result, () => printVerify(terminal, result));
}
