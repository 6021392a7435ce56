import type { RelayError } from "../relay-error.ts";
import {
  SourceForbidden,
  SourceNotDecrypted,
  SourceNotFound,
  SourceRejected,
  SourceScheduledForDeletion,
  SourceThrottled,
  SourceUnavailable,
} from "./errors.ts";

/** What an error of the SDK means. Only its name, its status and, for two cases, a fixed phrase of its message count. */
export function classifySourceError(source: string, error: unknown): RelayError {
  const { name, status, message } = factsOf(error);
  if (name === "ResourceNotFoundException") return new SourceNotFound(source);
  if (name === "AccessDeniedException") {
    // A missing kms:Decrypt comes as "Access to KMS is not allowed", under the same name as a missing GetSecretValue.
    return /\bKMS\b/.test(message) ? new SourceNotDecrypted(source) : new SourceForbidden(source);
  }
  if (name === "DecryptionFailure" || name === "KMSAccessDeniedException")
    return new SourceNotDecrypted(source);
  // InvalidRequestException is also "marked for deletion", or "currently marked deleted"; it has no code of its own.
  if (name === "InvalidRequestException" && /marked (for |as )?delet|scheduled for deletion/i.test(message)) {
    return new SourceScheduledForDeletion(source);
  }
  if (isThrottle(error)) return new SourceThrottled(source);
  const isClientFault = status !== undefined && status >= 400 && status < 500;
  return isClientFault ? new SourceRejected(source, name) : new SourceUnavailable(source, name);
}

export function isThrottle(error: unknown): boolean {
  const { name, status } = factsOf(error);
  return THROTTLES.has(name) || status === 429;
}

export function isExpiredCredentials(error: unknown): boolean {
  return EXPIRED.has(factsOf(error).name);
}

// The last one says that the token is invalid, which is also what STS says of one that it no longer knows.
const EXPIRED: ReadonlySet<string> = new Set([
  "ExpiredTokenException",
  "ExpiredToken",
  "RequestExpired",
  "UnrecognizedClientException",
]);

// AWS:secretsmanager/latest/userguide/reference_limits.html lists the codes to retry.
const THROTTLES: ReadonlySet<string> = new Set([
  "LimitExceededException",
  "RequestLimitExceeded",
  "RequestThrottledException",
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "TooManyRequestsException",
]);

function factsOf(error: unknown): { name: string; status: number | undefined; message: string } {
  const known = error as {
    name?: unknown;
    message?: unknown;
    $metadata?: { httpStatusCode?: unknown };
  } | null;
  const status = known?.$metadata?.httpStatusCode;
  const name =
    typeof known?.name === "string" && /^[A-Za-z]{1,60}$/.test(known.name) ? known.name : "unknown";
  return {
    name,
    status: typeof status === "number" ? status : undefined,
    message: typeof known?.message === "string" ? known.message : "",
  };
}
