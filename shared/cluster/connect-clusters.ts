import type { ClusterConfig } from "../bindings/binding.ts";
import type { Wait } from "../runtime/retry.ts";
import type { DescribeCluster } from "./aws-clients.ts";
import { type ClusterConnection, connectCluster } from "./cluster-connection.ts";
import { clusterDirectory } from "./cluster-directory.ts";
import { type AssumeRole, type CredentialsProvider, clusterCredentials } from "./credentials.ts";
import { aliasDetector } from "./detect-aliases.ts";
import { tokenCache } from "./token-cache.ts";

export type ConnectClustersOptions = {
  readonly ownCredentials: CredentialsProvider;
  readonly assumeRole: AssumeRole;
  readonly describeCluster: DescribeCluster;
  readonly now: () => number;
  readonly wait?: Wait;
  readonly tokenLifeMs: number;
  readonly fips: boolean;
  /** Per cluster. */
  readonly connectionsMax: number;
  readonly onTokenMinted: () => void;
  readonly onRequest?: () => void;
  readonly onThrottled?: () => void;
};

/** The connection of each cluster, by its key in the bindings. Created on first use, then kept. */
export function connectClusters(
  clusters: Readonly<Record<string, ClusterConfig>>,
  options: ConnectClustersOptions,
): (clusterKey: string) => ClusterConnection {
  const { now, tokenLifeMs, fips, connectionsMax } = options;
  const credentials = clusterCredentials(options.ownCredentials, options.assumeRole, now);
  const directory = clusterDirectory(options.describeCluster, credentials, now);
  const tokens = tokenCache({ credentials, now, tokenLifeMs, fips, onMinted: options.onTokenMinted });
  const connections = new Map<string, ClusterConnection>();
  const aliases = aliasDetector();
  return (clusterKey) => {
    const known = connections.get(clusterKey);
    if (known !== undefined) return known;
    const cluster = clusters[clusterKey];
    if (cluster === undefined) throw new TypeError("A compiled binding names a cluster that is not compiled");
    const single = connectCluster({
      clusterKey,
      checkEndpoint: (endpoint) => aliases.checkEndpoint(clusterKey, endpoint),
      cluster,
      directory,
      tokens,
      connectionsMax,
      ...(options.wait && { wait: options.wait }),
      ...(options.onRequest && { onRequest: options.onRequest }),
      ...(options.onThrottled && { onThrottled: options.onThrottled }),
    });
    const isOnly = Object.keys(clusters).length === 1; // an alias needs two entries
    const connection = isOnly ? single : aliases.guard(clusterKey, single);
    connections.set(clusterKey, connection);
    return connection;
  };
}
