import type { AwsCredentialIdentity } from "@smithy/types";
import type { RelayError } from "../../shared/relay-error.ts";
import { boundedRequests } from "../../shared/runtime/bounded-requests.ts";
import { mayHaveProxy } from "../../shared/runtime/may-have-proxy.ts";
import { parseAwsLocation } from "../../shared/source/parse-aws-location.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { UsageError } from "../errors.ts";
import { checkProfile, checkRegion } from "./check-aws-settings.ts";
import { classifyAwsError } from "./classify-aws-error.ts";
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
  const profile = options.profile ?? (process.env.AWS_PROFILE || undefined);
  if (profile !== undefined) await checkProfile(profile);
  // The AWS CLI also knows AWS_DEFAULT_REGION, which the SDK ignores.
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const named = options.region ?? (AWS_REGION || AWS_DEFAULT_REGION || undefined);
  if (named !== undefined) checkRegion(named);
  const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const sts = new STSClient({
    ...(options.profile !== undefined && { profile: options.profile }),
    ...(named !== undefined && { region: named }),
    maxAttempts: 2,
    ...boundedRequests(WORKSTATION_LIMITS),
  });
  let region: string | undefined;
  const classify = (what: string, error: unknown) =>
    classifyAwsError(what, error, { profile, region, hasProxy: mayHaveProxy(process.env) });
  try {
    region = await sts.config.region().catch(() => {
      throw new UsageError("No AWS Region is set. Pass --region, or set AWS_REGION.");
    });
    checkRegion(region);
    const { Account = "", Arn: callerArn = "" } = await sts
      .send(new GetCallerIdentityCommand({}))
      .catch((error: unknown) => {
        throw classify("Reading your AWS identity", error);
      });
    const location = parseAwsLocation(Account, region);
    if (location === undefined) throw new TypeError("STS answered without an account");
    const { credentials } = sts.config;
    return {
      region: location.region,
      get client() {
        return { region: location.region, credentials, ...boundedRequests(WORKSTATION_LIMITS) };
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
