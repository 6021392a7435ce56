import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden } from "../../shared/cluster/errors.ts";
import { discoverWith } from "../../shared/external-secrets/discover.ts";
import { pathOf, type Resource } from "../../shared/external-secrets/eso-api-paths.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { isFields } from "./fields.ts";
import { type Manifest, manifestsOf } from "./manifest.ts";

/** Lists ExternalSecrets, ClusterExternalSecrets and their stores. It reads no Secret. */
export async function readLiveManifests(
  cluster: Pick<ClusterConnection, "callObject">,
  { key, namespace, budget }: { key: string; namespace: string | undefined; budget: TimeBudget },
): Promise<Manifest[]> {
  const { version } = await discoverWith(cluster, key, Date.now)(budget);
  const list = async (resource: Resource): Promise<Manifest[]> => {
    const isNamespaced = !resource.startsWith("cluster");
    const path = pathOf(version, resource, isNamespaced ? { namespace } : {});
    const manifests: Manifest[] = [];
    let next: string | undefined;
    do {
      const query = { limit: "500", ...(next && { continue: next }) };
      const page = await cluster.callObject({ method: "GET", path, query }, budget);
      manifests.push(...manifestsOf("cluster", page));
      const metadata = isFields(page) && isFields(page.metadata) ? page.metadata : {};
      next =
        typeof metadata.continue === "string" && metadata.continue !== "" ? metadata.continue : undefined;
    } while (next !== undefined);
    return manifests;
  };
  // A caller with permissions in one namespace cannot list cluster-scoped stores; they are reported as unknown.
  const listIfAllowed = (resource: Resource) =>
    list(resource).catch((error: unknown) => {
      if (namespace !== undefined && error instanceof ClusterForbidden) return [];
      throw error;
    });
  const lists = await Promise.all([
    list("externalsecrets"),
    list("secretstores"),
    listIfAllowed("clustersecretstores"),
    namespace === undefined ? list("clusterexternalsecrets") : [],
  ]);
  return lists.flat();
}
