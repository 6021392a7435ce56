import { Option } from "commander";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { parseAwsLocation } from "../../shared/source/parse-aws-location.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { type AddCommand, type Cli, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import { type AwsNeeds, awsNeeds } from "../iam/aws-needs.ts";
import { checkExcess } from "../iam/check-excess.ts";
import { policyStatements, type RelayFunction } from "../iam/policy-statements.ts";
import { printParameter, type StackParameters, stackParameters } from "../iam/stack-parameters.ts";
import { type AwsOptions, addAwsOptions, addPreparedBindingsOptions } from "../live/options.ts";

type Options = AwsOptions & {
  readonly bindings?: string;
  readonly stackName?: string;
  readonly account?: string;
  readonly prefix?: string;
  readonly kmsKey: readonly string[];
  readonly externalSecretsByTag?: boolean;
  readonly for: RelayFunction;
  readonly parameters?: boolean;
  readonly json?: boolean;
};

export const addIam: AddCommand = (program, cli) => {
  const command = defineCommand(program, "iam", {
    summary: "print the IAM policy that the bindings need",
    description:
      "Prints the minimal AWS permissions of a function for these bindings: as a policy document, or as the parameters from which the template creates the same policy.",
    examples: [
      ["secret-relay iam", "for a review, or for your own role"],
      ["secret-relay iam --parameters", "for parameter_overrides in samconfig.toml"],
      ["secret-relay iam --parameters --prefix prod/", "if there are too many sources to list"],
    ],
  })
    .option("--account <id>", "the account of the stack (default: the account of your AWS credentials)")
    .option("--prefix <text>", "allow all sources whose names begin with this text, instead of each ARN")
    .option(
      "--kms-key <arn>",
      "a customer managed key that encrypts sources; repeatable",
      (arn: string, arns: readonly string[]) => [...arns, arn],
      [],
    )
    .option("--external-secrets-by-tag", "let trigger mode read tags, for ExternalSecrets that find by tag")
    .addOption(
      new Option("--for <function>", "the function that gets the policy")
        .choices(["rotation", "reconcile"])
        .default("reconcile", "reconcile, which includes all permissions of rotation"),
    )
    .option("--parameters", "print template parameters, as items of parameter_overrides in samconfig.toml")
    .option("--json", "print the result as one JSON object");
  addPreparedBindingsOptions(addAwsOptions(command)).action(
    cli.runs(async (options: Options) => {
      const { terminal } = cli;
      const { loadBindingsOrPublished } = await import("../live/load-bindings.ts");
      const { compiled } = await loadBindingsOrPublished(cli, options);
      const location = await stackLocation(cli, options);
      const { prefix, kmsKey: kmsKeyArns, externalSecretsByTag: findsByTag = false } = options;
      const wanted = { location, kmsKeyArns, findsByTag, prefix };
      if (options.parameters === true || options.json === true) checkExcess(compiled, wanted);
      const needs = awsNeeds(compiled, wanted);
      const parameters = stackParameters(needs);
      const policy = { Version: "2012-10-17", Statement: policyStatements(needs, options.for) };
      for (const note of notesOn(needs, compiled)) terminal.say(note);
      return finish(cli, options, { ok: true, location, parameters, policy }, () =>
        terminal.out(options.parameters ? printParameters(parameters) : JSON.stringify(policy, null, 2)),
      );
    }),
  );
};

/** The other items of `parameter_overrides` are the operator's own. */
function printParameters(parameters: StackParameters): string {
  const items = Object.entries(parameters).map(([name, value]) => `  ${printParameter(name, value)}`);
  return ["  # In samconfig.toml, under parameter_overrides. Keep its other items.", ...items].join("\n");
}

/** Calls AWS only if the command line does not give account and Region. */
async function stackLocation({ env }: Cli, options: Options): Promise<AwsLocation> {
  const { account, region = env.AWS_REGION } = options;
  if (account === undefined) {
    const { openAwsSession } = await import("../live/aws-session.ts");
    return (await openAwsSession(options)).location;
  }
  const location = parseAwsLocation(account, region ?? "");
  if (location !== undefined) return location;
  throw new UsageError("--account (twelve digits) needs --region or AWS_REGION, the Region of the stack.");
}

/** Permissions that another account or role must grant, and the option that the bindings cannot decide. */
function notesOn({ location, findsByTag }: AwsNeeds, { clusters, bindings }: CompiledBindings): string[] {
  const accounts = bindings.flatMap(({ sources }) =>
    sources.flatMap((source) => source.location?.accountId ?? []),
  );
  const otherAccounts = new Set(accounts.filter((accountId) => accountId !== location.accountId));
  const roles = new Set(Object.values(clusters).flatMap(({ roleArn }) => roleArn ?? []));
  const hasTriggers = Object.values(clusters).some(({ externalSecrets }) => externalSecrets !== undefined);
  return [
    ...(hasTriggers && !findsByTag
      ? [
          "If ExternalSecrets find sources by tag, add --external-secrets-by-tag. Without it, each such search counts as a match.",
        ]
      : []),
    ...[...otherAccounts].map(
      (account) =>
        `Account ${account} must let the functions in, too: in the resource policy of the secret and in its KMS key policy.`,
    ),
    ...[...roles].map(
      (role) =>
        `Role ${role} must trust the roles of the functions, and needs eks:DescribeCluster unless the endpoint is pinned.`,
    ),
  ];
}
