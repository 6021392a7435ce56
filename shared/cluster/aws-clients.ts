import type { AwsCredentialIdentity } from "@smithy/types";
import { boundedRequests } from "../runtime/bounded-requests.ts";
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
  const client = new EKSClient({ region, credentials, maxAttempts: ATTEMPTS_MAX, ...boundedRequests() });
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name: clusterName }));
    if (cluster?.endpoint === undefined || cluster.certificateAuthority?.data === undefined) return undefined;
    // The token is for the cluster of that name, whoever takes it: it goes where EKS says, over TLS, and nowhere near it.
    if (cluster.name !== clusterName || !isEndpoint(cluster.endpoint)) throw named("AnswerNotBelieved");
    return { url: cluster.endpoint, certificateAuthorityData: cluster.certificateAuthority.data };
  } finally {
    client.destroy(); // once in hours: a kept socket would be dead by the next time
  }
};

export function assumeRoleWith(own: CredentialsProvider): AssumeRole {
  return async (roleArn, region) => {
    const { STSClient, AssumeRoleCommand } = await import("./assume-with-sts.ts");
    const client = new STSClient({
      region,
      credentials: own,
      maxAttempts: ATTEMPTS_MAX,
      ...boundedRequests(),
    });
    try {
      const { Credentials: given } = await client.send(
        new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "secret-relay" }),
      );
      const {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken,
        Expiration,
      } = given ?? {};
      if (!accessKeyId || !secretAccessKey) throw named("AnswerNotBelieved");
      return {
        accessKeyId,
        secretAccessKey,
        ...(SessionToken !== undefined && { sessionToken: SessionToken }),
        ...(Expiration !== undefined && { expiration: Expiration }),
      };
    } finally {
      client.destroy();
    }
  };
}

const ATTEMPTS_MAX = 3;

/** `https://host`, perhaps with a port: EKS gives no others. */
function isEndpoint(url: string): boolean {
  const { protocol, username, password, pathname, search, hash } = URL.parse(url) ?? {};
  return (
    protocol === "https:" &&
    !username &&
    !password &&
    pathname === "/" &&
    !search &&
    !hash &&
    !url.includes("?")
  );
}

/** Told by its name only, as the SDK's own errors are. */
function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}
