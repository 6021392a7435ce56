import type { ClusterConfig } from "../bindings/binding.ts";
import { isRetryable } from "../relay-error.ts";
import type { DescribeCluster } from "./aws-clients.ts";
import { type ClusterCredentials, errorNameOf } from "./credentials.ts";
import { ClusterLookupFailed, ClusterLookupForbidden, ClusterNotFound } from "./errors.ts";
import type { ClusterEndpoint } from "./https-transport.ts";
import { singleFlightCache } from "./single-flight-cache.ts";

/**
 * Finds the endpoint of a cluster. EKS publishes no rate limit for DescribeCluster, so a result is kept until the
 * endpoint fails, repeated lookups of a cluster that is down are delayed, and a failed lookup keeps the last result.
 */
export type ClusterDirectory = {
  find(cluster: ClusterConfig): Promise<ClusterEndpoint>;
  /** This endpoint or its CA failed: look it up next time. Has no effect on a pinned endpoint. */
  forget(cluster: ClusterConfig, brokenEndpoint: ClusterEndpoint): void;
};

export function clusterDirectory(
  describe: DescribeCluster,
  credentials: ClusterCredentials,
  now: () => number,
): ClusterDirectory {
  const endpoints = singleFlightCache<ClusterEndpoint>(() => true);
  const lastResults = new Map<string, { endpoint: ClusterEndpoint; lookedUpAt: number }>();

  const lookUp = async (cluster: ClusterConfig): Promise<ClusterEndpoint> => {
    const identity = await credentials.of(cluster.roleArn, cluster.region);
    const endpoint = await describe(cluster.name, cluster.region, identity).catch((error: unknown) => {
      const name = errorNameOf(error);
      if (name.startsWith("ExpiredToken")) credentials.forget(cluster.roleArn);
      throw classifyLookup(cluster, name);
    });
    if (endpoint === undefined) throw new ClusterNotFound(cluster.name, cluster.region);
    return endpoint;
  };

  const lookUpOrKeep = async (cluster: ClusterConfig): Promise<ClusterEndpoint> => {
    const last = lastResults.get(keyOf(cluster))?.endpoint;
    const endpoint = await lookUp(cluster).catch((error: unknown) => {
      if (last !== undefined && isRetryable(error)) return last;
      throw error;
    });
    lastResults.set(keyOf(cluster), { endpoint, lookedUpAt: now() });
    return endpoint;
  };

  return {
    find: (cluster) => {
      const pinned = pinnedEndpointOf(cluster);
      return pinned === undefined
        ? endpoints.get(keyOf(cluster), () => lookUpOrKeep(cluster))
        : Promise.resolve(pinned);
    },
    forget: (cluster, brokenEndpoint) => {
      const lookedUpAt = lastResults.get(keyOf(cluster))?.lookedUpAt ?? 0;
      if (now() - lookedUpAt < LOOKUP_PAUSE_MS) return;
      endpoints.forget(keyOf(cluster), (endpoint) => endpoint === brokenEndpoint);
    },
  };
}

/** A cluster rarely gets a new endpoint or CA, but in an outage every failed request asks for a lookup. */
const LOOKUP_PAUSE_MS = 10_000;

/** The endpoint in the bindings; undefined for a cluster that must be looked up. */
export function pinnedEndpointOf(cluster: ClusterConfig): ClusterEndpoint | undefined {
  const { endpoint, certificateAuthorityData } = cluster;
  return endpoint !== undefined && certificateAuthorityData !== undefined
    ? { url: endpoint, certificateAuthorityData }
    : undefined;
}

function keyOf(cluster: ClusterConfig): string {
  return [cluster.region, cluster.name, cluster.roleArn ?? ""].join("|");
}

function classifyLookup(cluster: ClusterConfig, errorName: string): Error {
  if (errorName === "ResourceNotFoundException") return new ClusterNotFound(cluster.name, cluster.region);
  if (errorName === "AccessDeniedException") return new ClusterLookupForbidden(cluster.name);
  return new ClusterLookupFailed(cluster.name, errorName);
}
