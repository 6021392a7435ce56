import { type IdField, resourceIdFields } from "./find-source.ts";
import { own } from "./own-property.ts";

/**
 * Every field in which a CloudTrail event may name its source.
 *
 * `requestParameters.secretId` is the caller's spelling, and CreateSecret sends a `name` instead. AWS writes the full
 * ARN into `responseElements`, spelled `aRN` by some operations before February 2024. Rotations use
 * `additionalEventData`; `serviceEventDetails` was observed for secrets that RDS manages.
 */
export function cloudTrailIdFields(event: unknown): readonly IdField[] {
  const detail = own(event, "detail");
  const request = own(detail, "requestParameters");
  const isCreation = own(detail, "eventName") === "CreateSecret";
  const parents = [request, own(detail, "additionalEventData"), own(detail, "serviceEventDetails")];
  const sent = parents.flatMap((parent) => [own(parent, "secretId"), own(parent, "SecretId")]);
  if (isCreation) sent.push(own(request, "name"));
  const response = own(detail, "responseElements");
  const answered = ARN_SPELLINGS.map((key) => own(response, key));
  return [
    ...resourceIdFields(event),
    ...answered.map((text) => ({ text, origin: "full-arn" }) as const),
    ...sent.map((text) => ({ text, origin: "any" }) as const),
  ];
}

const ARN_SPELLINGS = ["arn", "aRN", "ARN", "Arn"];
