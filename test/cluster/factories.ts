import type { AwsCredentialIdentity } from "@smithy/types";
import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import type { ClusterCredentials } from "../../shared/cluster/credentials.ts";

export const NOW = Date.UTC(2026, 10, 20, 9, 15, 42);
export const MINUTE_MS = 60_000;
export const ROLE_ARN = "arn:aws:iam::111122223333:role/cluster-writer";

export const aCluster = (overrides: Partial<ClusterConfig> = {}): ClusterConfig => ({
  name: "prod",
  region: "eu-west-1",
  ...overrides,
});

export const anIdentity = (overrides: Partial<AwsCredentialIdentity> = {}): AwsCredentialIdentity => ({
  accessKeyId: "AKIDEXAMPLE000000000",
  secretAccessKey: "secret-key-for-tests",
  ...overrides,
});

/** Credentials that never change; counts the calls to forget. */
export function steadyCredentials(identity = anIdentity()): ClusterCredentials & { forgotten: number } {
  const credentials = {
    forgotten: 0,
    of: async () => identity,
    forget: () => {
      credentials.forgotten += 1;
    },
  };
  return credentials;
}

/** An SDK's error: a name, and a message that must never be logged. */
export function sdkError(name: string, message = CANARY, status?: number): Error {
  const error = new Error(message);
  error.name = name;
  return Object.assign(error, status !== undefined && { $metadata: { httpStatusCode: status } });
}

/** Stands for a secret where it must not leak. */
export const CANARY = "canary-7f3a9c1e";
