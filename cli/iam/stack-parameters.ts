import type { AwsNeeds } from "./aws-needs.ts";

export type StackParameters = Readonly<Record<string, string>>;

/** The parameters that name sources. Each is one managed policy of a role, and its first is the one to fill first. */
export const SOURCE_LISTS: readonly string[] = [
  ...["SecretArns", "SecretArns2", "SecretArns3", "SecretArns4", "SecretArns5", "SecretArns6"],
];

/** The template parameters for the statements of `policyStatements`. `findExcess` says whether the stack takes them. */
export function stackParameters(needs: AwsNeeds): StackParameters {
  const { secretArns, secretNamePrefix = "", kmsKeyArns, clusterArns, clusterRoleArns, findsByTag } = needs;
  const lists = packLists(secretArns);
  const all = {
    ...Object.fromEntries(SOURCE_LISTS.map((name, at) => [name, lists[at] ?? ""])),
    SecretNamePrefix: secretNamePrefix,
    SecretKmsKeyArns: kmsKeyArns.join(","),
    ClusterArns: clusterArns.join(","),
    ClusterRoleArns: clusterRoleArns.join(","),
    ExternalSecretsByTag: findsByTag ? "ENABLED" : "",
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** What one stack cannot be given: more sources than its lists hold, or more clusters, roles and keys. */
export type Excess = "sources" | "others";

/** Pure. */
export function findExcess(needs: AwsNeeds): Excess | undefined {
  if (packLists(needs.secretArns).length > SOURCE_LISTS.length) return "sources";
  const others = [needs.kmsKeyArns, needs.clusterArns, needs.clusterRoleArns];
  const isTooLong = others.some((arns) => Buffer.byteLength(arns.join(",")) > PARAMETER_BYTES_MAX);
  // As in the policy: each in quotes, with a comma.
  const characters = others.flat().reduce((sum, arn) => sum + arn.length + 3, 0);
  return isTooLong || characters > INLINE_LISTS_CHARACTERS_MAX ? "others" : undefined;
}

/** The CloudFormation limit for the value of a parameter. */
const PARAMETER_BYTES_MAX = 4_096;

/**
 * IAM allows 10,240 characters for all inline policies of a role. A test of the template holds that its other statements
 * leave these to keys, clusters and roles.
 */
export const INLINE_LISTS_CHARACTERS_MAX = 6_000;

/** As many in each list as its parameter takes: about 44. */
function packLists(arns: readonly string[]): readonly string[] {
  const lists: string[] = [];
  for (const arn of arns) {
    const list = lists.at(-1);
    const longer = `${list},${arn}`;
    if (list === undefined || Buffer.byteLength(longer) > PARAMETER_BYTES_MAX) lists.push(arn);
    else lists.splice(-1, 1, longer);
  }
  return lists;
}

/** One item of `parameter_overrides` in samconfig.toml. */
export function printParameter(name: string, value: string): string {
  // SAM splits an item at spaces: without the inner quotes, rate(10 minutes) arrives as rate(10.
  return `"${name}=${/\s/.test(value) ? `'${value}'` : value}",`;
}
