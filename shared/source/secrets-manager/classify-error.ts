import type { RelayError } from "../../relay-error.ts";
import {
  SourceForbidden,
  SourceNotDecrypted,
  SourceNotFound,
  SourceRejected,
  SourceScheduledForDeletion,
  SourceThrottled,
  SourceUnavailable,
} from "../errors.ts";

/** Uses only the name and status of an SDK error and, in two cases, a fixed phrase of its message. */
export function classifySourceError(source: string, error: unknown): RelayError {
  const { name, status, message } = fieldsOf(error);
  if (name === "ResourceNotFoundException") return new SourceNotFound(source);
  if (name === "AccessDeniedException") {
    // Without kms:Decrypt, AWS reports "Access to KMS is not allowed" under the same name as without GetSecretValue.
    return /\bKMS\b/.test(message) ? new SourceNotDecrypted(source) : new SourceForbidden(source);
  }
  if (name === "DecryptionFailure" || name === "KMSAccessDeniedException")
    return new SourceNotDecrypted(source);
  // "marked for deletion" and "currently marked deleted" have no code of their own.
  if (name === "InvalidRequestException" && /marked (for |as )?delet|scheduled for deletion/i.test(message)) {
    return new SourceScheduledForDeletion(source);
  }
  if (isThrottle(error)) return new SourceThrottled(source);
  const isClientFault = status !== undefined && status >= 400 && status < 500;
  return isClientFault ? new SourceRejected(source, name) : new SourceUnavailable(source, name);
}

export function isThrottle(error: unknown): boolean {
  const { name, status } = fieldsOf(error);
  return THROTTLES.has(name) || status === 429;
}

export function isExpiredCredentials(error: unknown): boolean {
  return EXPIRED.has(fieldsOf(error).name);
}

// UnrecognizedClientException means an invalid token, and STS also reports a token this way after it forgot it.
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

function fieldsOf(error: unknown): { name: string; status: number | undefined; message: string } {
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
