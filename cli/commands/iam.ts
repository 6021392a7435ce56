import { Option } from "commander";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { parseSecretHome } from "../../shared/secret-id/parse-secret-home.ts";
import type { SecretHome } from "../../shared/secret-id/secret-id.ts";
import { bindingsOption, loadBindingsFile } from "../bindings-file.ts";
import type { AddCommand, Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { type AwsNeeds, awsNeeds, sharedPrefix } from "../iam/aws-needs.ts";
import { policyStatements, type RelayFunction } from "../iam/policy-statements.ts";
import {
  PARAMETER_BYTES_MAX,
  printParameters,
  type StackParameters,
  stackParameters,
  tooLongParameters,
} from "../iam/stack-parameters.ts";
import { addAwsOptions } from "../live/options.ts";

type Options = {
  readonly bindings: string;
  readonly account?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly prefix?: string;
  readonly kmsKey: readonly string[];
  readonly externalSecretsByTag?: boolean;
  readonly for: RelayFunction;
  readonly parameters?: boolean;
  readonly json?: boolean;
};

export const addIam: AddCommand = (program, cli) => {
  const command = program
    .command("iam")
    .summary("print the IAM policy that the bindings need")
    .description(
      "Prints what a function must be allowed to do in AWS for these bindings, and nothing besides: as a policy document, or as the parameters from which the template makes it.",
    )
    .addOption(bindingsOption())
    .option("--account <id>", "the account of the stack; that of your AWS credentials when absent")
    .option("--prefix <text>", "allow all sources whose names start so, instead of each by its ARN")
    .option(
      "--kms-key <arn>",
      "a customer managed key that encrypts sources; may be repeated",
      (arn: string, arns: readonly string[]) => [...arns, arn],
      [],
    )
    .option("--external-secrets-by-tag", "trigger mode looks at tags: ExternalSecrets find sources by them")
    .addOption(
      new Option("--for <function>", "which function's policy")
        .choices(["rotation", "reconcile"])
        .default("reconcile", "reconcile, which needs all that rotation needs"),
    )
    .option("--parameters", "print the parameters of the template, as samconfig.toml has them")
    .option("--json", "print one JSON object");
  addAwsOptions(command)
    .addHelpText(
      "after",
      examples(
        ["secret-relay iam", "for a review, or for a role of your own"],
        ["secret-relay iam --parameters", "for samconfig.toml"],
        ["secret-relay iam --parameters --prefix prod/", "when there are too many to list"],
      ),
    )
    .action(
      cli.runs(async (options: Options) => {
        const { terminal } = cli;
        const compiled = await loadBindingsFile(cli, options.bindings);
        const home = await homeOfStack(cli, options);
        const { prefix, kmsKey: kmsKeyArns, externalSecretsByTag: findsByTag = false } = options;
        const needs = awsNeeds(compiled, {
          home,
          kmsKeyArns,
          findsByTag,
          ...(prefix !== undefined && { prefix }),
        });
        const parameters = stackParameters(needs);
        if (options.parameters === true) checkLengths(parameters, compiled, home);
        const policy = { Version: "2012-10-17", Statement: policyStatements(needs, options.for) };
        for (const note of notesOn(needs, compiled)) terminal.say(note);
        if (options.json === true) terminal.out(JSON.stringify({ ok: true, home, parameters, policy }));
        else terminal.out(options.parameters ? printParameters(parameters) : JSON.stringify(policy, null, 2));
        return EXIT.done;
      }),
    );
};

/** Nothing is asked of AWS when the command line says it all. */
async function homeOfStack({ env }: Cli, options: Options): Promise<SecretHome> {
  const { account, region = env.AWS_REGION } = options;
  if (account === undefined) {
    const { openAwsSession } = await import("../live/aws-session.ts");
    return (await openAwsSession(options)).home;
  }
  const home = parseSecretHome(account, region ?? "");
  if (home !== undefined) return home;
  throw new UsageError(
    "Say where the stack is: --account with its twelve digits, and --region (or AWS_REGION).",
  );
}

function checkLengths(parameters: StackParameters, compiled: CompiledBindings, home: SecretHome): void {
  const [name] = tooLongParameters(parameters);
  if (name === undefined) return;
  const prefix = name === "SecretArns" ? sharedPrefix(compiled, home) : undefined;
  const advice =
    prefix === undefined
      ? "Give the statements to the roles by a policy of your own: secret-relay iam."
      : `Add --prefix ${prefix}, which all of these names share.`;
  throw new UsageError(
    `${name} would be longer than the ${PARAMETER_BYTES_MAX} bytes that CloudFormation takes. ${advice}`,
  );
}

/** What no policy of this account can do, and what the bindings do not say. */
function notesOn(
  { home, findsByTag }: AwsNeeds,
  { clusters, bindings }: CompiledBindings,
): readonly string[] {
  const foreign = new Set(
    bindings
      .flatMap(({ sources }) => sources)
      .flatMap((source) =>
        source.home !== undefined && source.home.accountId !== home.accountId ? [source.home.accountId] : [],
      ),
  );
  const roles = new Set(Object.values(clusters).flatMap(({ roleArn }) => roleArn ?? []));
  const triggers = Object.values(clusters).some(({ externalSecrets }) => externalSecrets !== undefined);
  return [
    ...(triggers && !findsByTag
      ? [
          "Where ExternalSecrets find sources by tag, add --external-secrets-by-tag: else each such search counts as a match.",
        ]
      : []),
    ...[...foreign].map(
      (account) =>
        `Account ${account} must let the functions in as well: by the secret's resource policy and its KMS key's.`,
    ),
    ...[...roles].map(
      (role) =>
        `Role ${role} must trust the functions' roles, and needs eks:DescribeCluster where the endpoint is not pinned.`,
    ),
  ];
}
