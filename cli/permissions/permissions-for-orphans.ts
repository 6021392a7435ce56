import pMap from "p-map";
import { relayMetadata } from "../../shared/bindings/relay-identity.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { Permission } from "../../shared/permissions/permission.ts";
import type { NamespacePermissions } from "../../shared/permissions/permissions-of-bindings.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";

/**
 * Adds the permissions for orphans that wait for deletion. No bindings file names them, so they are looked up in the
 * cluster. They need patch, to record when they were first found unbound, and delete.
 */
export async function addPermissionsForOrphans(
  cluster: Pick<ClusterConnection, "listMetadata">,
  namespaces: readonly NamespacePermissions[],
  relay: string,
  budget: TimeBudget,
): Promise<{ namespaces: readonly NamespacePermissions[]; unknown: readonly string[] }> {
  const { managedLabel, annotations } = relayMetadata({
    name: relay,
    partition: "",
    accountId: "",
    region: "",
  });
  const unknown: string[] = [];
  const isDeletable = (live: LiveMetadata): boolean =>
    live.labels[managedLabel]?.startsWith(`${relay}.`) === true &&
    live.annotations[annotations.deletionPolicy] === "delete";
  const extended = await pMap(
    namespaces,
    async (of): Promise<NamespacePermissions> => {
      const { namespace, permissions } = of;
      if (namespace === undefined) return of;
      const bound = new Set(
        permissions.flatMap(({ resource, name }) => (resource === "secrets" && name) || []),
      );
      try {
        const names = new Set<string>();
        const keep = (live: LiveMetadata): undefined => {
          if (isDeletable(live) && !bound.has(live.name)) names.add(live.name);
        };
        await cluster.listMetadata(namespace, managedLabel, budget, keep);
        return { ...of, permissions: [...permissions, ...[...names].flatMap(permissionsFor)] };
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        unknown.push(`${namespace} (${error.code})`);
        return of;
      }
    },
    { concurrency: 8 },
  );
  return { namespaces: extended, unknown };
}

function permissionsFor(name: string): Permission[] {
  const why = "delete a Secret that is no longer bound";
  return (["patch", "delete"] as const).map((verb) => ({
    apiGroup: "",
    resource: "secrets",
    verb,
    name,
    why,
  }));
}
