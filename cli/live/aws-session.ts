import type { AwsCredentialIdentity } from "@smithy/types";
import { boundedRequests } from "../../shared/aws-client/bounded-requests.ts";
import { errorNameOf } from "../../shared/cluster/credentials.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { parseSecretHome } from "../../shared/secret-id/parse-secret-home.ts";
import type { SecretHome } from "../../shared/secret-id/secret-id.ts";
import { UsageError } from "../errors.ts";
import { AwsCallFailed, AwsCredentialsMissing, AwsCredentialsRefused, AwsSessionExpired } from "./errors.ts";

/** Who the person at the command line is to AWS. */
export type AwsSession = {
  readonly region: string;
  /** For any client of the SDK, fresh each time; its credentials renew themselves, and its requests end. */
  readonly client: ReturnType<typeof boundedRequests> & {
    readonly region: string;
    readonly credentials: Credentials;
  };
  /** Account and Region: where a secret that is written as a bare name lives. */
  readonly home: SecretHome;
  readonly callerArn: string;
  /** An error of the SDK in our words; ours pass unchanged. */
  readonly classify: (what: string, error: unknown) => RelayError;
};

export type Credentials = (options?: { forceRefresh?: boolean }) => Promise<AwsCredentialIdentity>;

/** The SDK's default chain: environment, profiles with SSO and roles, web identity, container, instance. */
export async function openAwsSession(options: {
  readonly profile?: string;
  readonly region?: string;
}): Promise<AwsSession> {
  const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const profile = options.profile ?? process.env.AWS_PROFILE;
  const sts = new STSClient({
    ...(options.profile !== undefined && { profile: options.profile }),
    ...(options.region !== undefined && { region: options.region }),
    maxAttempts: 2,
    ...boundedRequests(FROM_A_DESK),
  });
  const classify = (what: string, error: unknown) => classifyAwsError(what, error, profile);
  try {
    const region = await sts.config.region().catch(() => {
      throw new UsageError("No AWS Region is set. Pass --region, or set AWS_REGION.");
    });
    const { Account = "", Arn: callerArn = "" } = await sts
      .send(new GetCallerIdentityCommand({}))
      .catch((error: unknown) => {
        throw classify("Asking AWS who you are", error);
      });
    const home = parseSecretHome(Account, region);
    if (home === undefined)
      throw new UsageError(`${region} is no AWS Region. Correct --region or AWS_REGION.`);
    const { credentials } = sts.config;
    return {
      region,
      get client() {
        return { region, credentials, ...boundedRequests(FROM_A_DESK) };
      },
      home,
      callerArn,
      classify,
    };
  } finally {
    sts.destroy();
  }
}

/** A person's line may be slow, and a listing of CloudFormation or of logs takes its time. */
const FROM_A_DESK = { connectionMs: 5_000, requestMs: 20_000 };

/** Only an error's fixed name is used, and of its message one word: a library's own text is never shown. */
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
