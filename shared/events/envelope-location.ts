import { partitionOfRegion } from "../source/parse-aws-location.ts";
import type { AwsLocation } from "../source/secret-id.ts";
import { own, ownString } from "./own-property.ts";

/** What an event says about where it happened: in its envelope, and in the detail of CloudTrail. */
export type EnvelopeLocations = {
  readonly regions: readonly string[];
  readonly accountIds: readonly string[];
  /**
   * The account of the caller. CloudTrail reports a call across accounts in the account of the secret and in that of the
   * caller.
   */
  readonly callerAccountId?: string;
};

export function envelopeLocations(event: unknown): EnvelopeLocations {
  const detail = own(event, "detail");
  const isCall = ownString(event, "detail-type") === "AWS API Call via CloudTrail";
  const callerAccountId = isCall ? ownString(own(detail, "userIdentity"), "accountId") : undefined;
  const present = (texts: readonly (string | undefined)[]) => texts.filter((text) => text !== undefined);
  return {
    regions: present([ownString(event, "region"), ownString(detail, "awsRegion")]),
    accountIds: present([ownString(event, "account"), ownString(detail, "recipientAccountId")]),
    ...(callerAccountId !== undefined && { callerAccountId }),
  };
}

/** Whether a source of that location cannot be what the event is about. */
export function isOutside(
  { partition, region, accountId }: AwsLocation,
  { regions, accountIds, callerAccountId }: EnvelopeLocations,
): boolean {
  return (
    regions.some((each) => each !== region || partitionOfRegion(each) !== partition) ||
    accountIds.some((each) => each !== accountId && each !== callerAccountId)
  );
}
