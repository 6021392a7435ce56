import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Bind } from "../init/init-files.ts";
import { nextSteps } from "../init/next-steps.ts";
import { addAwsOptions, type LiveOptions } from "../live/options.ts";
import { withProgress } from "../terminal/progress.ts";

type Options = Pick<LiveOptions, "profile" | "region"> & {
  readonly cluster?: readonly string[];
  readonly bind?: readonly string[];
  readonly force?: boolean;
  readonly json?: boolean;
};

export const addInit: AddCommand = (program, cli) => {
  const command = program
    .command("init")
    .summary("write bindings.yaml and samconfig.toml to begin with")
    .description(
      "Finds the clusters and secrets of your AWS account, asks which secret goes where, and writes bindings.yaml and samconfig.toml. With --bind it asks nothing. It reads no value, and overwrites nothing without --force, except for the example that the repository ships.",
    )
    .option("--cluster <name...>", "EKS clusters by name; the only one of the Region when absent")
    .option("--bind <source=namespace/name...>", "a secret, and the Kubernetes Secret that it goes into")
    .option("--force", "overwrite files that are there")
    .option("--json", "print one JSON object");
  addAwsOptions(command)
    .addHelpText(
      "after",
      examples(
        ["secret-relay init", "be asked"],
        ["secret-relay init --cluster prod-eks --bind prod/db=shop/db", "in a script"],
      ),
    )
    .action(cli.runs((options: Options) => init(cli, options)));
};

async function init(cli: CommandLine, options: Options): Promise<ExitCode> {
  const { terminal } = cli;
  const files = { bindings: "bindings.yaml", samconfig: "samconfig.toml" };
  if (options.force !== true) for (const file of Object.values(files)) await mustBeFree(cli, file);
  const { openAwsSession } = await import("../live/aws-session.ts");
  const { initFiles } = await import("../init/init-files.ts");
  const given = await parseBinds(options.bind ?? []);
  const aws = await withProgress(terminal, "asking AWS who you are", () => openAwsSession(options));
  const clusters = await clustersOf(cli, options, aws);
  const binds = given.length > 0 ? given : await askForBinds(cli, aws);
  const made = initFiles({ home: aws.home, clusters, binds });
  await writeFile(path.resolve(cli.cwd, files.bindings), made.bindings);
  await writeFile(path.resolve(cli.cwd, files.samconfig), made.samconfig);
  if (options.json === true) {
    terminal.out(JSON.stringify({ ok: true, files: Object.values(files), clusters, binds }));
    return EXIT.done;
  }
  terminal.out(
    `Wrote ${files.bindings} (${binds.length} Secret(s) in ${clusters[0]}) and ${files.samconfig}.`,
  );
  terminal.say(nextSteps(clusters, cli.env));
  return EXIT.done;
}

type Session = Parameters<typeof import("../init/find-in-account.ts").findClusters>[0];

async function clustersOf(cli: CommandLine, { cluster }: Options, aws: Session): Promise<readonly string[]> {
  if (cluster !== undefined) return cluster;
  const { findClusters } = await import("../init/find-in-account.ts");
  const found = await withProgress(cli.terminal, "looking for clusters", () => findClusters(aws));
  if (found.length === 0) {
    throw new UsageError(
      `There is no EKS cluster in ${aws.region}. Give its Region with --region, or --cluster.`,
    );
  }
  if (found.length === 1) return found;
  if (!cli.terminal.canAsk) {
    throw new UsageError(`There are several clusters: ${found.join(", ")}. Say which with --cluster.`);
  }
  return (await import("../init/ask.ts")).askClusters(found);
}

async function askForBinds(cli: CommandLine, aws: Session): Promise<readonly Bind[]> {
  if (!cli.terminal.canAsk) {
    throw new UsageError("Say what goes where: --bind SOURCE=NAMESPACE/NAME, as often as you like.");
  }
  const { findSecrets } = await import("../init/find-in-account.ts");
  const found = await withProgress(cli.terminal, "looking for secrets", () => findSecrets(aws));
  if (found.length === 0) {
    throw new UsageError(`There is no secret in ${aws.region}. Make one: aws secretsmanager create-secret`);
  }
  return (await import("../init/ask.ts")).askBinds(found);
}

async function parseBinds(texts: readonly string[]): Promise<readonly Bind[]> {
  const { parseBind } = await import("../init/init-files.ts");
  return texts.map((text) => {
    const bind = parseBind(text);
    if (bind === undefined)
      throw new UsageError(`${text} is not SOURCE=NAMESPACE/NAME, such as prod/db=shop/db.`);
    return bind;
  });
}

async function mustBeFree({ cwd }: CommandLine, file: string): Promise<void> {
  const text = await readFile(path.resolve(cwd, file), "utf8").catch(() => undefined);
  const isExample = text?.includes("This is an example: replace it with your own") === true;
  if (text !== undefined && !isExample) {
    throw new UsageError(`${file} is there already. Overwrite it with --force, or edit it.`);
  }
}
