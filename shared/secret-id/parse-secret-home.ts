import type { SecretHome } from "./secret-id.ts";

/** The home that an account and a Region make, or undefined when either is none. */
export function parseSecretHome(accountId: string, region: string): SecretHome | undefined {
  if (!ACCOUNT.test(accountId) || !REGION.test(region)) return undefined;
  return { partition: partitionOfRegion(region), region, accountId };
}

/** Events and environments name a Region and no partition; a Region's name gives its partition away. */
export function partitionOfRegion(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  if (region.startsWith("eusc-")) return "aws-eusc";
  const isolated = /^[a-z]+-iso([a-z]?)-/.exec(region);
  if (isolated === null) return "aws";
  return isolated[1] ? `aws-iso-${isolated[1]}` : "aws-iso";
}

const ACCOUNT = /^[0-9]{12}$/;
const REGION = /^[a-z]{2,4}(?:-[a-z]{2,16}){1,2}-[0-9]{1,2}$/;
