import { parseSecretReference } from "../secret-id/parse-secret-reference.ts";
import { referencesMayMatch } from "../secret-id/references-may-match.ts";
import type { SecretReference } from "../secret-id/secret-id.ts";

/** Whether an answer is about the secret that was asked for: by its full ARN, which AWS always gives. */
export function isAnswerAbout(source: SecretReference, arn: string | undefined): boolean {
  const answered = parseSecretReference(arn ?? "", "full-arn");
  // A bare name is one of the account and Region that was asked.
  return answered?.home !== undefined && referencesMayMatch(source, answered, answered.home);
}
