import type { AwsLocation } from "./secret-id.ts";

/** Undefined when the account id or the Region is not valid. */
export function parseAwsLocation(accountId: string, region: string): AwsLocation | undefined {
  if (!ACCOUNT.test(accountId) || !REGION.test(region)) return undefined;
  return { partition: partitionOfRegion(region), region, accountId };
}

/** Events and environment variables have a Region but no partition, so it is derived from the Region's name. */
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
