import type { AwsNeeds } from "../iam/aws-needs.ts";

/** A right in AWS that bindings need and the stack's parameters do not give. */
export type MissingInStack = {
  readonly parameter: "SecretArns" | "ClusterArns" | "ClusterRoleArns";
  readonly arns: readonly string[];
};

/** Pure. `needs` are those of the bindings, without the stack's prefix. */
export function missingInStack(
  needs: AwsNeeds,
  parameters: Readonly<Record<string, string>>,
): readonly MissingInStack[] {
  const { partition, region, accountId } = needs.location;
  const prefix = parameters.SecretNamePrefix ?? "";
  // Policies of the account's own may allow any source.
  const hasOwnPolicies = listOf(parameters.SourcePolicyArns).length > 0;
  const secrets = [
    ...listOf(parameters.SecretArns),
    ...(prefix === "" ? [] : [`arn:${partition}:secretsmanager:${region}:${accountId}:secret:${prefix}*`]),
  ];
  const all: MissingInStack[] = [
    { parameter: "SecretArns", arns: hasOwnPolicies ? [] : notCovered(needs.secretArns, secrets) },
    { parameter: "ClusterArns", arns: notCovered(needs.clusterArns, listOf(parameters.ClusterArns)) },
    {
      parameter: "ClusterRoleArns",
      arns: notCovered(needs.clusterRoleArns, listOf(parameters.ClusterRoleArns)),
    },
  ];
  return all.filter(({ arns }) => arns.length > 0);
}

const listOf = (value = ""): string[] =>
  value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

function notCovered(arns: readonly string[], granted: readonly string[]): string[] {
  // The functions find a source by its name, and the stack may name it with its six random characters.
  const exact = new Set(granted.flatMap((arn) => [arn, arn.replace(/-[A-Za-z0-9]{6}$/, "-??????")]));
  const patterns = granted.filter((arn) => /[*?]/.test(arn)).map(patternOf);
  return arns.filter((arn) => !exact.has(arn) && !patterns.some((pattern) => pattern.test(arn)));
}

/** As IAM reads a resource: `*` is any text, `?` one character. An ARN that is needed may end in `-??????`, too. */
function patternOf(arn: string): RegExp {
  const text = arn
    .replaceAll(/[\\^$.|+()[\]{}]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${text}$`, "s");
}
