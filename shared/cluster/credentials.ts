import type { AwsCredentialIdentity } from "@smithy/types";
import { CredentialsUnavailable, RoleNotAssumed } from "./errors.ts";
import { singleFlightCache } from "./single-flight-cache.ts";

/** The current credentials; `forceRefresh` renews them although they have not expired. */
export type CredentialsProvider = (options?: { forceRefresh?: boolean }) => Promise<AwsCredentialIdentity>;

/** sts:AssumeRole with the function's own credentials. */
export type AssumeRole = (roleArn: string, region: string) => Promise<AwsCredentialIdentity>;

export type ClusterCredentials = {
  /** The function's own credentials, or those of the role. They never expire soon. */
  of(roleArn: string | undefined, region: string): Promise<AwsCredentialIdentity>;
  /** A request signed with them was refused: the next call renews them. */
  forget(roleArn: string | undefined): void;
};

/** Credentials that expire within this time are renewed before use, not after a batch has failed with them. */
const EXPIRES_SOON_MS = 5 * 60_000;

export function clusterCredentials(
  own: CredentialsProvider,
  assumeRole: AssumeRole,
  now: () => number,
): ClusterCredentials {
  const assumed = singleFlightCache<AwsCredentialIdentity>((known) => !expiresSoon(known, now()));
  let ownIsStale = false;

  const readOwn = async (): Promise<AwsCredentialIdentity> => {
    const wasStale = ownIsStale;
    ownIsStale = false; // before the call, so that a refusal during the call is not lost
    try {
      const first = await own(wasStale ? { forceRefresh: true } : {});
      return expiresSoon(first, now()) ? await own({ forceRefresh: true }) : first;
    } catch {
      ownIsStale ||= wasStale;
      throw new CredentialsUnavailable();
    }
  };

  // A failure is not cached: AssumeRole may succeed on the next call.
  const readAssumed = (roleArn: string, region: string): Promise<AwsCredentialIdentity> =>
    assumed.get(roleArn, () =>
      assumeRole(roleArn, region).catch((error: unknown) => {
        throw new RoleNotAssumed(roleArn, errorNameOf(error));
      }),
    );

  return {
    of: (roleArn, region) => (roleArn === undefined ? readOwn() : readAssumed(roleArn, region)),
    forget: (roleArn) => {
      if (roleArn === undefined) ownIsStale = true;
      else assumed.forget(roleArn, () => true);
    },
  };
}

function expiresSoon(credentials: AwsCredentialIdentity, now: number): boolean {
  return credentials.expiration !== undefined && credentials.expiration.getTime() - now < EXPIRES_SOON_MS;
}

/** The SDK's error names are fixed words such as AccessDenied. Its messages are dropped. */
export function errorNameOf(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  return /^[A-Za-z]{1,60}$/.test(name) ? name : "unknown";
}
