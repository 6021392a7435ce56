import type { ClusterConfig } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { pinnedEndpointOf } from "../cluster/cluster-directory.ts";
import type { ClientFor } from "../source/secrets-manager-clients.ts";
import { warmClient } from "../source/warm-client.ts";

/**
 * Does when Lambda starts the function what the first event would otherwise wait for: credentials, tokens, connections,
 * and the code behind them, which is compiled when it first runs. For an event a function of 512 MB has less than a third
 * of a processor, and more while it starts (docs/adr/0015).
 *
 * Clusters are asked for their version, which every token may read; Secrets Manager is asked for nothing. What fails here
 * is left to the first event, which meets it again and tells it; what is slow is given up.
 */
export async function warmUp(
  clusters: Readonly<Record<string, ClusterConfig>>,
  connect: (clusterKey: string) => Pick<ClusterConnection, "callObject">,
  clientFor: ClientFor,
): Promise<void> {
  const budget = { signal: AbortSignal.timeout(TIME_MS_MAX), remainingMs: () => 0 }; // no time to try anything again
  await Promise.allSettled([
    warmClient(clientFor(undefined), budget),
    ...clustersToGreet(clusters).map((key) => connect(key).callObject(VERSION, budget)),
  ]);
}

const VERSION = { method: "GET", path: "/version" } as const;

/** Where a cluster must be looked up, a burst of starts would all ask EKS at once: worth it only for the one there is. */
export function clustersToGreet(clusters: Readonly<Record<string, ClusterConfig>>): readonly string[] {
  const all = Object.entries(clusters);
  const pinned = all.filter(([, cluster]) => pinnedEndpointOf(cluster) !== undefined);
  return (all.length === 1 ? all : pinned).slice(0, GREETED_MAX).map(([clusterKey]) => clusterKey);
}

/** A first event is for one cluster or a few, and every start opens these connections. */
const GREETED_MAX = 4;

/** Ten times what it takes where all is well; Lambda gives a start 10 s in all. */
const TIME_MS_MAX = 1_000;
