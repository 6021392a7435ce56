import pMap from "p-map";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { relayMarks } from "../../shared/identity/relay-identity.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { Right } from "../../shared/rights/right.ts";
import type { PlaceRights } from "../../shared/rights/rights-of-bindings.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";

/**
 * The rights that a waiting deletion still needs. A Secret whose binding is gone is named in no bindings file, so its
 * name is looked up in the cluster: patch to note when it was first seen unbound, delete to delete it.
 */
export async function addRightsOfOrphans(
  cluster: Pick<ClusterConnection, "listMetadata">,
  places: readonly PlaceRights[],
  relay: string,
  budget: TimeBudget,
): Promise<{ places: readonly PlaceRights[]; unknown: readonly string[] }> {
  const { managedLabel, annotations } = relayMarks({ name: relay, partition: "", accountId: "", region: "" });
  const unknown: string[] = [];
  const isDeletable = (live: Awaited<ReturnType<ClusterConnection["listMetadata"]>>[number]): boolean =>
    live.labels[managedLabel]?.startsWith(`${relay}.`) === true &&
    live.annotations[annotations.deletionPolicy] === "delete";
  const extended = await pMap(
    places,
    async (place): Promise<PlaceRights> => {
      const { namespace, rights } = place;
      if (namespace === undefined) return place;
      const bound = new Set(rights.flatMap(({ resource, name }) => (resource === "secrets" && name) || []));
      try {
        const listed = await cluster.listMetadata(namespace, managedLabel, budget);
        const names = listed.filter((live) => isDeletable(live) && !bound.has(live.name));
        return { ...place, rights: [...rights, ...names.flatMap(({ name }) => rightsFor(name))] };
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        unknown.push(`${namespace} (${error.code})`);
        return place;
      }
    },
    { concurrency: 8 },
  );
  return { places: extended, unknown };
}

function rightsFor(name: string): Right[] {
  const why = "delete a Secret that is no longer bound";
  return (["patch", "delete"] as const).map((verb) => ({
    apiGroup: "",
    resource: "secrets",
    verb,
    name,
    why,
  }));
}
