import type { ClusterConfig } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { pinnedEndpointOf } from "../cluster/cluster-directory.ts";
import type { Source } from "../source/source.ts";

/**
 * Prepares credentials, tokens and connections during init, and compiles the code behind them. During init a function of
 * 512 MB has more CPU than the third of a processor that it has later (docs/adr/0015).
 *
 * Reads /version of the clusters, which every token may read, and sends Secrets Manager no API call. Errors are ignored,
 * because the first event meets and reports them again; slow steps time out.
 */
export async function warmUp(
  clusters: Readonly<Record<string, ClusterConfig>>,
  connect: (clusterKey: string) => Pick<ClusterConnection, "callObject">,
  source: Pick<Source, "warmUp">,
): Promise<void> {
  const budget = { signal: AbortSignal.timeout(TIME_MS_MAX), remainingMs: () => 0 }; // no retries
  await Promise.allSettled([
    source.warmUp(budget),
    ...clustersToWarm(clusters).map((key) => connect(key).callObject(VERSION, budget)),
  ]);
}

const VERSION = { method: "GET", path: "/version" } as const;

/** Unless its endpoint is pinned, warming a cluster calls EKS, and a burst of starts would call it many times at once. So
 * that is done only when there is one cluster. */
export function clustersToWarm(clusters: Readonly<Record<string, ClusterConfig>>): readonly string[] {
  const all = Object.entries(clusters);
  const pinned = all.filter(([, cluster]) => pinnedEndpointOf(cluster) !== undefined);
  return (all.length === 1 ? all : pinned).slice(0, WARMED_MAX).map(([clusterKey]) => clusterKey);
}

/** A first event concerns one cluster or a few, and every start opens these connections. */
const WARMED_MAX = 4;

/** Ten times the usual duration; Lambda's init phase may take 10 s in all. */
const TIME_MS_MAX = 1_000;
