import type { AwsNeeds } from "./aws-needs.ts";

export type StackParameters = Readonly<Record<string, string>>;

/** The template parameters for the statements of `policyStatements`. `findExcess` says whether the stack takes them. */
export function stackParameters(needs: AwsNeeds): StackParameters {
  const { secretArns, secretNamePrefix = "", kmsKeyArns, clusterArns, clusterRoleArns, findsByTag } = needs;
  const all = {
    SecretArns: secretArns.join(","),
    SecretNamePrefix: secretNamePrefix,
    SecretKmsKeyArns: kmsKeyArns.join(","),
    ClusterArns: clusterArns.join(","),
    ClusterRoleArns: clusterRoleArns.join(","),
    ExternalSecretsByTag: findsByTag ? "ENABLED" : "",
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** What one stack cannot be given: more sources than SecretArns holds, or more clusters, roles and keys. */
export type Excess = "sources" | "others";

/** Pure. */
export function findExcess(needs: AwsNeeds): Excess | undefined {
  if (isTooLong(needs.secretArns)) return "sources";
  const others = [needs.kmsKeyArns, needs.clusterArns, needs.clusterRoleArns];
  // As in the policy: each in quotes, with a comma.
  const characters = others.flat().reduce((sum, arn) => sum + arn.length + 3, 0);
  return others.some(isTooLong) || characters > INLINE_LISTS_CHARACTERS_MAX ? "others" : undefined;
}

const isTooLong = (arns: readonly string[]): boolean =>
  Buffer.byteLength(arns.join(",")) > PARAMETER_BYTES_MAX;

/** The CloudFormation limit for the value of a parameter. */
const PARAMETER_BYTES_MAX = 4_096;

/**
 * IAM allows 10,240 characters for all inline policies of a role. A test of the template holds that its other statements
 * leave these to keys, clusters and roles.
 */
export const INLINE_LISTS_CHARACTERS_MAX = 6_000;

/** One item of `parameter_overrides` in samconfig.toml. */
export function printParameter(name: string, value: string): string {
  // SAM splits an item at spaces: without the inner quotes, rate(10 minutes) arrives as rate(10.
  return `"${name}=${/\s/.test(value) ? `'${value}'` : value}",`;
}
