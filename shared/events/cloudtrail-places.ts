import { type IdPlace, resourcePlace } from "./find-source.ts";
import { own } from "./own-property.ts";

/**
 * Every place where a CloudTrail event may name its source.
 *
 * `requestParameters.secretId` is whatever the caller sent, and CreateSecret sends a `name` instead. AWS writes the
 * full ARN into `responseElements`, spelled `aRN` by some operations before February 2024. Rotations name theirs in
 * `additionalEventData`; `serviceEventDetails` was seen for secrets that RDS manages.
 */
export function cloudTrailPlaces(event: unknown): readonly IdPlace[] {
  const detail = own(event, "detail");
  const request = own(detail, "requestParameters");
  const isCreation = own(detail, "eventName") === "CreateSecret";
  const holders = [request, own(detail, "additionalEventData"), own(detail, "serviceEventDetails")];
  const sent = holders.flatMap((holder) => [own(holder, "secretId"), own(holder, "SecretId")]);
  if (isCreation) sent.push(own(request, "name"));
  const response = own(detail, "responseElements");
  const answered = ARN_SPELLINGS.map((key) => own(response, key));
  return [
    resourcePlace(event),
    ...answered.map((text) => ({ text, origin: "full-arn" }) as const),
    ...sent.map((text) => ({ text, origin: "any" }) as const),
  ];
}

const ARN_SPELLINGS = ["arn", "aRN", "ARN", "Arn"];
