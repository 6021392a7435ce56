import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { ExternalSecretsNotServed } from "./errors.ts";
import { GROUP, PUSH_SECRET_VERSION, type ServedVersion } from "./places.ts";

/** What of ESO's API a cluster serves. */
export type Served = { readonly version: ServedVersion; readonly hasPushSecrets: boolean };

export type Discover = (budget: TimeBudget) => Promise<Served>;

/** Asks the API server once in ten minutes; every authenticated user may. */
export function discoverWith(
  cluster: Pick<ClusterConnection, "callObject">,
  clusterKey: string,
  now: () => number,
): Discover {
  let known: { served: Served; until: number } | undefined;
  return async (budget) => {
    if (known !== undefined && now() < known.until) return known.served;
    const group = await cluster.callObject({ method: "GET", path: `/apis/${GROUP}` }, budget);
    const versions = versionsOf(group);
    const version = (["v1", "v1beta1"] as const).find((each) => versions.includes(each));
    if (version === undefined) throw new ExternalSecretsNotServed(clusterKey);
    const served = { version, hasPushSecrets: versions.includes(PUSH_SECRET_VERSION) };
    known = { served, until: now() + KEPT_MS };
    return served;
  };
}

const KEPT_MS = 600_000;

function versionsOf(group: unknown): readonly unknown[] {
  const { versions } = (group ?? {}) as { versions?: unknown };
  return Array.isArray(versions)
    ? versions.map((each) => (each as { version?: unknown } | null)?.version)
    : [];
}
