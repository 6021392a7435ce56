import { parseSecretReference } from "../parse-secret-reference.ts";
import { referencesMayMatch } from "../references-may-match.ts";
import type { SecretReference } from "../secret-id.ts";

/** Whether a response is about the requested secret. AWS always returns the full ARN. */
export function isAnswerAbout(source: SecretReference, arn: string | undefined): boolean {
  const answered = parseSecretReference(arn ?? "", "full-arn");
  // A bare name is in the account and Region that received the request.
  return answered?.location !== undefined && referencesMayMatch(source, answered, answered.location);
}
