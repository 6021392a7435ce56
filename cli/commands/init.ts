import { readFile } from "node:fs/promises";
import path from "node:path";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import { writeOutputFile } from "../files.ts";
import type { Bind } from "../init/init-files.ts";
import { nextSteps } from "../init/next-steps.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { type AwsOptions, addAwsOptions } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";

type Options = AwsOptions & {
  readonly cluster?: readonly string[];
  readonly bind?: readonly string[];
  readonly force?: boolean;
  readonly json?: boolean;
};

export const addInit: AddCommand = (program, cli) => {
  const command = defineCommand(program, "init", {
    summary: "create bindings.yaml and samconfig.toml",
    description:
      "Lists the clusters and secrets of your AWS account, asks which secret goes into which Kubernetes Secret, and writes bindings.yaml and samconfig.toml. With --bind it asks nothing. It reads no secret value. Without --force it overwrites only the example files of the repository.",
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
  const files = ["bindings.yaml", "samconfig.toml"] as const;
  if (options.force !== true) for (const file of files) await checkFree(cli, file);
  const { openAwsSession } = await import("../live/aws-session.ts");
  const { initFiles } = await import("../init/init-files.ts");
  const bindsOfOptions = await parseBinds(options.bind ?? []);
  const aws = await withProgress(terminal, "reading your AWS identity", () => openAwsSession(options));
  const clusters = await selectClusters(cli, options, aws);
  const binds = bindsOfOptions.length > 0 ? bindsOfOptions : await askForBinds(cli, aws);
  const texts = initFiles({ location: aws.location, clusters, binds });
  await writeOutputFile(cli, files[0], texts.bindings);
  await writeOutputFile(cli, files[1], texts.samconfig);
  return finish(cli, options, { ok: true, files, clusters, binds }, () => {
    terminal.out(`Wrote ${files[0]} (${binds.length} Secret(s) in ${clusters[0]}) and ${files[1]}.`);
    terminal.say(nextSteps(clusters, cli.env));
  });
}

async function selectClusters(
  cli: CommandLine,
  { cluster }: Options,
  aws: AwsSession,
): Promise<readonly string[]> {
  if (cluster !== undefined) return cluster;
  const { findClusters } = await import("../init/find-in-account.ts");
  const found = await withProgress(cli.terminal, "listing clusters", () => findClusters(aws));
  if (found.length === 0) {
    throw new UsageError(
      `No EKS cluster was found in ${aws.region}. Use --region, or name it with --cluster.`,
    );
  }
  if (found.length === 1) return found;
  if (!cli.terminal.canAsk) {
    throw new UsageError(`There are several clusters: ${found.join(", ")}. Select one with --cluster.`);
  }
  return (await import("../init/ask.ts")).askClusters(found);
}

async function askForBinds(cli: CommandLine, aws: AwsSession): Promise<readonly Bind[]> {
  if (!cli.terminal.canAsk) {
    throw new UsageError(
      "No terminal is available for questions. Use --bind SOURCE=NAMESPACE/NAME; it is repeatable.",
    );
  }
  const { findSecrets } = await import("../init/find-in-account.ts");
  const found = await withProgress(cli.terminal, "listing secrets", () => findSecrets(aws));
  if (found.length === 0) {
    throw new UsageError(
      `No secret was found in ${aws.region}. Create one: aws secretsmanager create-secret`,
    );
  }
  return (await import("../init/ask.ts")).askBinds(found);
}

async function parseBinds(texts: readonly string[]): Promise<readonly Bind[]> {
  const { parseBind } = await import("../init/init-files.ts");
  return texts.map((text) => {
    const bind = parseBind(text);
    if (bind !== undefined) return bind;
    throw new UsageError(`${text} is not SOURCE=NAMESPACE/NAME, such as prod/db=shop/db.`);
  });
}

async function checkFree({ cwd }: CommandLine, file: string): Promise<void> {
  const text = await readFile(path.resolve(cwd, file), "utf8").catch(() => undefined);
  const isExample = text?.includes("This is an example: replace it with your own") === true;
  if (text !== undefined && !isExample) {
    throw new UsageError(`${file} already exists. Edit it, or overwrite it with --force.`);
  }
}
