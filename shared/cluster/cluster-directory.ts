import type { ClusterConfig } from "../bindings/binding.ts";
import { isRetryable } from "../relay-error.ts";
import type { DescribeCluster } from "./aws-clients.ts";
import { type ClusterCredentials, errorNameOf } from "./credentials.ts";
import { ClusterLookupFailed, ClusterLookupForbidden, ClusterNotFound } from "./errors.ts";
import type { ClusterEndpoint } from "./https-transport.ts";
import { singleFlightCache } from "./single-flight-cache.ts";

/**
 * Finds where a cluster answers. EKS publishes no rate for DescribeCluster, so an answer is kept until it fails, a
 * cluster that is down is not looked up again and again, and a lookup that fails leaves the answer before it in place.
 */
export type ClusterDirectory = {
  find(cluster: ClusterConfig): Promise<ClusterEndpoint>;
  /** This endpoint or its CA stopped working: ask again next time. Changes nothing for a pinned one. */
  forget(cluster: ClusterConfig, brokenEndpoint: ClusterEndpoint): void;
};

export function clusterDirectory(
  describe: DescribeCluster,
  credentials: ClusterCredentials,
  now: () => number,
): ClusterDirectory {
  const known = singleFlightCache<ClusterEndpoint>(() => true);
  const found = new Map<string, { endpoint: ClusterEndpoint; lookedUpAt: number }>();

  const look = async (cluster: ClusterConfig): Promise<ClusterEndpoint> => {
    const identity = await credentials.of(cluster.roleArn, cluster.region);
    const endpoint = await describe(cluster.name, cluster.region, identity).catch((error: unknown) => {
      const name = errorNameOf(error);
      if (name.startsWith("ExpiredToken")) credentials.forget(cluster.roleArn);
      throw classifyLookup(cluster, name);
    });
    if (endpoint === undefined) throw new ClusterNotFound(cluster.name, cluster.region);
    return endpoint;
  };

  const lookAgain = async (cluster: ClusterConfig): Promise<ClusterEndpoint> => {
    const before = found.get(keyOf(cluster))?.endpoint;
    const endpoint = await look(cluster).catch((error: unknown) => {
      if (before !== undefined && isRetryable(error)) return before;
      throw error;
    });
    found.set(keyOf(cluster), { endpoint, lookedUpAt: now() });
    return endpoint;
  };

  return {
    find: (cluster) => {
      const pinned = pinnedEndpointOf(cluster);
      return pinned === undefined
        ? known.get(keyOf(cluster), () => lookAgain(cluster))
        : Promise.resolve(pinned);
    },
    forget: (cluster, brokenEndpoint) => {
      const lookedUpAt = found.get(keyOf(cluster))?.lookedUpAt ?? 0;
      if (now() - lookedUpAt < LOOKUP_PAUSE_MS) return;
      known.forget(keyOf(cluster), (endpoint) => endpoint === brokenEndpoint);
    },
  };
}

/** A new endpoint or CA appears once in a cluster's life; every request of an outage asks for one. */
const LOOKUP_PAUSE_MS = 10_000;

/** Where the bindings say that a cluster answers; undefined for one that must be looked up. */
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
