import type { AwsCredentialIdentity } from "@smithy/types";
import { boundedRequests } from "../runtime/bounded-requests.ts";
import type { AssumeRole, CredentialsProvider } from "./credentials.ts";
import type { ClusterEndpoint } from "./https-transport.ts";

/** Calls EKS DescribeCluster. Undefined when the cluster has no endpoint yet. */
export type DescribeCluster = (
  clusterName: string,
  region: string,
  credentials: AwsCredentialIdentity,
) => Promise<ClusterEndpoint | undefined>;

// Both clients are loaded on first use: with a pinned endpoint and no role to assume, a cold start does not load them.

export const describeCluster: DescribeCluster = async (clusterName, region, credentials) => {
  const { EKSClient, DescribeClusterCommand } = await import("./describe-with-eks.ts");
  const client = new EKSClient({ region, credentials, maxAttempts: ATTEMPTS_MAX, ...boundedRequests() });
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name: clusterName }));
    if (cluster?.endpoint === undefined || cluster.certificateAuthority?.data === undefined) return undefined;
    // A token is valid for the cluster of that name, so it is sent only to the HTTPS endpoint that EKS returns for it.
    if (cluster.name !== clusterName || !isEndpoint(cluster.endpoint)) throw namedError("AnswerNotBelieved");
    return { url: cluster.endpoint, certificateAuthorityData: cluster.certificateAuthority.data };
  } finally {
    client.destroy(); // used once in hours: an idle socket would be closed by then
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
      const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "secret-relay" });
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } =
        (await client.send(command)).Credentials ?? {};
      if (!AccessKeyId || !SecretAccessKey) throw namedError("AnswerNotBelieved");
      return {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        ...(SessionToken !== undefined && { sessionToken: SessionToken }),
        ...(Expiration !== undefined && { expiration: Expiration }),
      };
    } finally {
      client.destroy();
    }
  };
}

const ATTEMPTS_MAX = 3;

/** EKS returns only `https://host`, with or without a port. */
function isEndpoint(url: string): boolean {
  const { protocol, username, password, pathname, hash } = URL.parse(url) ?? {};
  return protocol === "https:" && !username && !password && pathname === "/" && !hash && !url.includes("?");
}

/** Reported by its name only, like the SDK's errors. */
function namedError(name: string): Error {
  return Object.assign(new Error(name), { name });
}
