import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden } from "../../shared/cluster/errors.ts";
import { listObjects } from "../../shared/cluster/list-objects.ts";
import { discoverWith } from "../../shared/external-secrets/discover.ts";
import { ExternalSecretsNotServed } from "../../shared/external-secrets/errors.ts";
import { pathOf, type Resource } from "../../shared/external-secrets/eso-api-paths.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { UsageError } from "../errors.ts";
import { type Manifest, manifestsOf } from "./manifest.ts";

/** Lists ExternalSecrets, ClusterExternalSecrets and their stores. It reads no Secret. */
export async function readLiveManifests(
  cluster: Pick<ClusterConnection, "callObject">,
  { key, namespace, budget }: { key: string; namespace: string | undefined; budget: TimeBudget },
): Promise<Manifest[]> {
  const { version } = await discoverWith(
    cluster,
    key,
    Date.now,
  )(budget).catch((error: unknown) => {
    if (!(error instanceof ExternalSecretsNotServed)) throw error;
    throw new UsageError(`${error.reason} Select another context with --context, or name manifest files.`);
  });
  const list = (resource: Resource): Promise<readonly Manifest[]> => {
    const isNamespaced = !resource.startsWith("cluster");
    const path = pathOf(version, resource, isNamespaced ? { namespace } : {});
    // Items of custom resources have their apiVersion and kind, unlike those of built-in ones.
    const select = (object: unknown): Manifest | undefined => manifestsOf("cluster", object)[0];
    return listObjects(cluster, { clusterKey: key, path, limit: 500, keptMax: 100_000, select }, budget);
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
