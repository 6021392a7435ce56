import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import type { ExitCode } from "../exit-code.ts";
import { nextSteps } from "../init/next-steps.ts";
import type { InitOptions } from "../init/run-init.ts";
import { addAwsOptions } from "../live/options.ts";

type Options = InitOptions & { readonly json?: boolean };

export const addInit: AddCommand = (program, cli) => {
  const command = defineCommand(program, "init", {
    summary: "create bindings.yaml and samconfig.toml",
    description:
      "Lists the clusters and secrets of your AWS account, asks which secret goes into which Kubernetes Secret, shows bindings.yaml and samconfig.toml, and writes them after your confirmation. It checks each answer when you type it. With --cluster and --bind it asks nothing. It reads no secret value. Without --force or your confirmation it overwrites only the example files of the repository.",
    examples: [
      ["secret-relay init", "answer questions"],
      ["secret-relay init --cluster prod-eks --bind prod/db=shop/db", "in a script"],
    ],
  })
    .option("--cluster <name...>", "EKS clusters by name; by default the only cluster of the Region")
    .option("--bind <source=namespace/name...>", "a source and its Kubernetes Secret")
    .option("--force", "overwrite existing files")
    .option("--json", "print the result as one JSON object");
  addAwsOptions(command).action(cli.runs((options: Options) => init(cli, options)));
};

async function init(cli: CommandLine, options: Options): Promise<ExitCode> {
  const { terminal } = cli;
  const { runInit } = await import("../init/run-init.ts");
  const questions =
    terminal.canAsk && !isAnswered(options) ? (await import("../init/ask.ts")).promptQuestions : undefined;
  const { files, clusters, binds } = await runInit(cli, options, questions);
  return finish(cli, options, { ok: true, files, clusters, binds }, () => {
    terminal.out(`Wrote ${files[0]} (${binds.length} Secret(s) in ${clusters[0]}) and ${files[1]}.`);
    terminal.say(nextSteps(clusters, cli.env));
  });
}

const isAnswered = ({ cluster, bind }: Options): boolean => cluster !== undefined && bind !== undefined;
