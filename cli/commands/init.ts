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
      "Lists the clusters and secrets of your AWS account, asks which secret goes into which Kubernetes Secret, shows bindings.yaml and samconfig.toml, and writes them after your confirmation. It checks each answer when you type it. With --cluster and --bind it asks nothing. If you have a bindings.yaml of your own, it only writes samconfig.toml for it. It reads no secret value. Without --force or your confirmation it overwrites only the example bindings.yaml of the repository.",
    examples: [
      ["secret-relay init", "answer questions"],
      ["secret-relay init --cluster prod-eks --bind prod/db=shop/db", "in a script"],
      [
        "secret-relay init --prefix prod/",
        "allow all secrets below prod/, so that a further one needs no deployment",
      ],
      ["secret-relay init --bind prod/db=shop/db --canary", "with a canary, to prove the installation"],
    ],
  })
    .option("--cluster <name...>", "EKS clusters by name; by default the only cluster of the Region")
    .option("--bind <source=namespace/name...>", "a source and its Kubernetes Secret")
    .option("--prefix <text>", "let the functions read all secrets whose names begin with this text")
    .option("--canary", "also bind a canary, for secret-relay verify")
    .option("--force", "overwrite existing files")
    .option("--json", "print the result as one JSON object");
  addAwsOptions(command).action(cli.runs((options: Options) => init(cli, options)));
};

async function init(cli: CommandLine, options: Options): Promise<ExitCode> {
  const { terminal } = cli;
  const { runInit } = await import("../init/run-init.ts");
  const questions =
    terminal.canAsk && !isAnswered(options) ? (await import("../init/ask.ts")).promptQuestions : undefined;
  const result = await runInit(cli, options, questions);
  const { files, clusters, binds, canary } = result;
  return finish(cli, options, { ok: true, ...result }, () => {
    const withCanary = canary === undefined ? "" : " and the canary";
    const bound =
      files.length > 1
        ? `: ${binds.length} Secret(s)${withCanary} in ${clusters[0]}`
        : " for your bindings.yaml";
    terminal.out(`Wrote ${files.join(" and ")}${bound}.`);
    terminal.say(nextSteps(result, cli.env));
  });
}

const isAnswered = ({ cluster, bind }: Options): boolean => cluster !== undefined && bind !== undefined;
