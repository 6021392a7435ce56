import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { ExternalSecretsNotServed } from "./errors.ts";
import { GROUP, PUSH_SECRET_VERSION, type ServedVersion } from "./eso-api-paths.ts";

/** The parts of ESO's API that a cluster serves. */
export type Served = { readonly version: ServedVersion; readonly hasPushSecrets: boolean };

export type Discover = (budget: TimeBudget) => Promise<Served>;

/** Caches the discovery for ten minutes; every authenticated user may read it. */
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
    if (version === undefined)
      throw new ExternalSecretsNotServed(
        clusterKey,
        versions.map((each) => sanitizeName(each)),
      );
    const served = { version, hasPushSecrets: versions.includes(PUSH_SECRET_VERSION) };
    known = { served, until: now() + KEPT_MS };
    return served;
  };
}

const KEPT_MS = 600_000;

function versionsOf(group: unknown): readonly string[] {
  const { versions } = (group ?? {}) as { versions?: unknown };
  return (Array.isArray(versions) ? versions : []).flatMap((each) => {
    const { version } = (each ?? {}) as { version?: unknown };
    return typeof version === "string" ? [version] : [];
  });
}
