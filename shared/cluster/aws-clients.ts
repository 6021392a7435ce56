import type { AwsCredentialIdentity } from "@smithy/types";
import type { AssumeRole, CredentialsProvider } from "./credentials.ts";
import type { ClusterEndpoint } from "./https-transport.ts";

/** EKS DescribeCluster; undefined when the cluster has no endpoint yet. */
export type DescribeCluster = (
  clusterName: string,
  region: string,
  credentials: AwsCredentialIdentity,
) => Promise<ClusterEndpoint | undefined>;

// Both clients are loaded when first needed: with a pinned endpoint and no role to assume, no cold start pays for them.

export const describeCluster: DescribeCluster = async (clusterName, region, credentials) => {
  const { EKSClient, DescribeClusterCommand } = await import("./describe-with-eks.ts");
  const client = new EKSClient({ region, credentials, ...LIMITS });
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name: clusterName }));
    if (cluster?.endpoint === undefined || cluster.certificateAuthority?.data === undefined) return undefined;
    return { url: cluster.endpoint, certificateAuthorityData: cluster.certificateAuthority.data };
  } finally {
    client.destroy(); // once in hours: a kept socket would be dead by the next time
  }
};

export function assumeRoleWith(own: CredentialsProvider): AssumeRole {
  return async (roleArn, region) => {
    const { STSClient, AssumeRoleCommand } = await import("./assume-with-sts.ts");
    const client = new STSClient({ region, credentials: own, ...LIMITS });
    try {
      const { Credentials: given } = await client.send(
        new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "secret-relay" }),
      );
      return {
        accessKeyId: given?.AccessKeyId ?? "",
        secretAccessKey: given?.SecretAccessKey ?? "",
        ...(given?.SessionToken !== undefined && { sessionToken: given.SessionToken }),
        ...(given?.Expiration !== undefined && { expiration: given.Expiration }),
      };
    } finally {
      client.destroy();
    }
  };
}

// The SDK's own defaults wait for a connection without end, which is what a function in a VPC without a way to EKS or
// STS gets: it would end with Lambda's timeout, and no outcome told.
const LIMITS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};
