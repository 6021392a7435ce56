import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { RelayError } from "../../shared/relay-error.ts";
import {
  AwsCallFailed,
  AwsCredentialsMissing,
  AwsCredentialsRefused,
  AwsMfaNeeded,
  AwsSessionExpired,
  AwsUnreachable,
  CERTIFICATE_FAULT,
} from "./errors.ts";

export type AwsSettings = {
  readonly profile: string | undefined;
  readonly region: string | undefined;
  /** HTTPS_PROXY is set. */
  readonly hasProxy: boolean;
};

/**
 * Uses fixed names and codes, and single words of a credential provider's message, whose errors share one name. A
 * library's own text is never shown. Pure.
 */
export function classifyAwsError(
  what: string,
  error: unknown,
  { profile, region, hasProxy }: AwsSettings,
): RelayError {
  if (error instanceof RelayError) return error;
  const name = errorNameOf(error);
  if (EXPIRED.has(name)) return new AwsSessionExpired(profile);
  if (REFUSED.has(name)) return new AwsCredentialsRefused(name);
  const fault = connectionFaultOf(error);
  if (fault !== undefined) return new AwsUnreachable(what, fault, { region, hasProxy });
  if (name === "CredentialsProviderError" || name === "TokenProviderError") {
    return classifyProviderError(error instanceof Error ? error.message : "", profile);
  }
  return new AwsCallFailed(what, name);
}

function classifyProviderError(message: string, profile: string | undefined): RelayError {
  if (/multi-factor/i.test(message)) return new AwsMfaNeeded(profile);
  if (/\baws login\b|reauthenticate|\/login\/cache\//i.test(message))
    return new AwsSessionExpired(profile, "aws login");
  const isSso = /expired|aws sso login/i.test(message);
  return isSso ? new AwsSessionExpired(profile) : new AwsCredentialsMissing(profile);
}

/** The code of the network's error: of the error itself, of its cause, or of the first address that was tried. */
function connectionFaultOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 4; depth += 1) {
    const { code, name } = each as NodeJS.ErrnoException;
    if (code !== undefined && (CONNECTION_FAULTS.has(code) || CERTIFICATE_FAULT.test(code))) return code;
    if (name === "TimeoutError") return "timeout";
    each = each instanceof AggregateError ? each.errors[0] : each.cause;
  }
  return undefined;
}

const EXPIRED: ReadonlySet<string> = new Set(["ExpiredToken", "ExpiredTokenException", "RequestExpired"]);

const REFUSED: ReadonlySet<string> = new Set([
  "InvalidClientTokenId",
  "IncompleteSignature",
  "IncompleteSignatureException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);

const CONNECTION_FAULTS: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ERR_PROXY_TUNNEL",
  "ETIMEDOUT",
]);
