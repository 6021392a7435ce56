import type { AwsCredentialIdentity } from "@smithy/types";
import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { boundedRequests } from "../../shared/runtime/bounded-requests.ts";
import { parseAwsLocation } from "../../shared/source/parse-aws-location.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { UsageError } from "../errors.ts";
import { AwsCallFailed, AwsCredentialsMissing, AwsCredentialsRefused, AwsSessionExpired } from "./errors.ts";
import type { AwsOptions } from "./options.ts";

/** The AWS identity of the caller of the command. */
export type AwsSession = {
  readonly region: string;
  /** Settings for any SDK client, new on each access. Credentials are renewed and requests time out. */
  readonly client: ReturnType<typeof boundedRequests> & {
    readonly region: string;
    readonly credentials: Credentials;
  };
  /** The account and Region of a secret that is given by its name alone. */
  readonly location: AwsLocation;
  readonly callerArn: string;
  /** Turns an error of the SDK into a RelayError; a RelayError passes unchanged. */
  readonly classify: (what: string, error: unknown) => RelayError;
};

export type Credentials = (options?: { forceRefresh?: boolean }) => Promise<AwsCredentialIdentity>;

/** The SDK's default chain: environment, profiles with SSO and roles, web identity, container, instance. */
export async function openAwsSession(options: AwsOptions): Promise<AwsSession> {
  const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const profile = options.profile ?? process.env.AWS_PROFILE;
  const sts = new STSClient({
    ...(options.profile !== undefined && { profile: options.profile }),
    ...(options.region !== undefined && { region: options.region }),
    maxAttempts: 2,
    ...boundedRequests(WORKSTATION_LIMITS),
  });
  const classify = (what: string, error: unknown) => classifyAwsError(what, error, profile);
  try {
    const region = await sts.config.region().catch(() => {
      throw new UsageError("No AWS Region is set. Pass --region, or set AWS_REGION.");
    });
    const { Account = "", Arn: callerArn = "" } = await sts
      .send(new GetCallerIdentityCommand({}))
      .catch((error: unknown) => {
        throw classify("Reading your AWS identity", error);
      });
    const location = parseAwsLocation(Account, region);
    if (location === undefined)
      throw new UsageError(`${region} is not an AWS Region. Correct --region or AWS_REGION.`);
    const { credentials } = sts.config;
    return {
      region,
      get client() {
        return { region, credentials, ...boundedRequests(WORKSTATION_LIMITS) };
      },
      location,
      callerArn,
      classify,
    };
  } finally {
    sts.destroy();
  }
}

/** A workstation can have a slow connection, and CloudFormation and logs answer slowly. */
const WORKSTATION_LIMITS = { connectionMs: 5_000, requestMs: 20_000 };

/** Uses the fixed name of an error, and one word of its message to detect SSO. A library's own text is never shown. */
function classifyAwsError(what: string, error: unknown, profile: string | undefined): RelayError {
  if (error instanceof RelayError) return error;
  const name = errorNameOf(error);
  if (EXPIRED.has(name)) return new AwsSessionExpired(profile);
  if (name === "CredentialsProviderError" || name === "TokenProviderError") {
    const isSso = error instanceof Error && /\bSSO\b|aws sso login|expired/i.test(error.message);
    return isSso ? new AwsSessionExpired(profile) : new AwsCredentialsMissing(profile);
  }
  return REFUSED.has(name) ? new AwsCredentialsRefused(name) : new AwsCallFailed(what, name);
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
