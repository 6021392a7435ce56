import { Argument, type Command, Option } from "commander";
import { BINDINGS_FILE, insteadOfPublishedOption } from "../bindings-file.ts";
import { UsageError } from "../errors.ts";

export type AwsOptions = { readonly profile?: string; readonly region?: string };

/** Which bindings a command works on: those of a file, or those that the stack has published. */
export type BindingsChoice = { readonly bindings?: string; readonly stackName: string };

/** How a command finds AWS and the clusters. */
export type ClusterOptions = AwsOptions & {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly eksToken?: boolean;
};

export type SessionOptions = ClusterOptions & BindingsChoice;

/** The options of every command that works on bound Secrets. */
export type SelectionOptions = SessionOptions & {
  readonly cluster?: readonly string[];
  readonly json?: boolean;
};

/** For a command that the deployed function can run as well. */
export type ViaLambdaOptions = {
  readonly viaLambda?: boolean;
  readonly stackName: string;
  readonly function?: string;
};

export const targetArgument = (object = "a Secret"): Argument =>
  new Argument("[what]", `namespace/name of ${object}, or the name or ARN of a source`);

export const addSelectionOptions = (
  command: Command,
  json = "print the result as one JSON object",
): Command =>
  addSessionOptions(
    command.option("--cluster <key...>", "only these clusters, by their keys in the bindings"),
    json,
  );

export const addSessionOptions = (command: Command, json = "print the result as one JSON object"): Command =>
  addStackOption(
    addClusterOptions(addAwsOptions(command.addOption(insteadOfPublishedOption()).option("--json", json))),
  );

/** For a command that prepares a publication. */
export const addPreparedBindingsOptions = (command: Command): Command =>
  command
    .option(
      "-b, --bindings <file>",
      `the bindings, as YAML or as compiled JSON (default: BINDINGS_FILE, or ${BINDINGS_FILE})`,
    )
    .option("--stack-name <name>", "the bindings that this stack has published, instead of a file");

export const addAwsOptions = (command: Command): Command =>
  command
    .option("--profile <name>", "the AWS profile (or AWS_PROFILE)")
    .option("--region <region>", "the Region of the relay (or AWS_REGION, or the Region of the profile)");

export const addClusterOptions = (command: Command): Command =>
  command
    .option("--context <name>", "the kubeconfig context; by default the one that matches the cluster")
    .option("--kubeconfig <file>", "the kubeconfig (or KUBECONFIG, or ~/.kube/config)")
    .addOption(
      new Option("--eks-token", "log in to clusters with your AWS credentials, not a kubeconfig").conflicts([
        "context",
        "kubeconfig",
      ]),
    );

export const addStackOption = (command: Command): Command =>
  command.addOption(
    new Option("--stack-name <name>", "the deployed stack")
      .env("SECRET_RELAY_STACK")
      .default(DEFAULT_STACK_NAME),
  );

export const DEFAULT_STACK_NAME = "secret-relay";

/** For a command that is shown: ` --stack-name NAME`, unless it is the default. */
export const stackWords = (stackName: string): string =>
  stackName === DEFAULT_STACK_NAME ? "" : ` --stack-name ${stackName}`;

export const addViaLambdaOptions = (command: Command): Command =>
  command
    .option("--via-lambda", "run the deployed function, with its permissions and its bindings")
    .addOption(
      new Option("--function <name>", "the function, if you lack permission to describe the stack").implies({
        viaLambda: true,
      }),
    );

/** A command that writes needs a name, or an option that selects several Secrets. */
export function requireSelection(
  verb: string,
  what: string | undefined,
  { all, cluster }: { all?: boolean | undefined; cluster?: readonly string[] | undefined },
): void {
  if (what === undefined && all !== true && cluster === undefined) {
    throw new UsageError(`Select what to ${verb}: namespace/name, the name or ARN of a source, or --all.`);
  }
  if (what !== undefined && all === true) throw new UsageError("Use either a name or --all.");
}

/** Seconds on the command line, as ms. */
export function parseSeconds(option: string, text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 1 && seconds <= 3_600) return seconds * 1_000;
  throw new UsageError(`${option} must be between 1 and 3600 seconds.`);
}
