import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { listObjects } from "../../shared/cluster/list-objects.ts";
import { discoverWith } from "../../shared/external-secrets/discover.ts";
import { ExternalSecretsNotServed } from "../../shared/external-secrets/errors.ts";
import { pathOf } from "../../shared/external-secrets/eso-api-paths.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { type Manifest, manifestsOf } from "./manifest.ts";
import type { ExternalSecretState } from "./takeover.ts";

export type FindExternalSecret = (target: TargetRef) => Promise<ExternalSecretState>;

/** Finds the ExternalSecret that writes a Secret. It lists each namespace once. */
export function externalSecretFinder(
  connect: (clusterKey: string) => Pick<ClusterConnection, "callObject">,
  budget: TimeBudget,
): FindExternalSecret {
  const lists = new Map<string, Promise<readonly Manifest[] | "unknown">>();
  return async ({ cluster, namespace, name }) => {
    const key = `${cluster}/${namespace}`;
    const list = lists.get(key) ?? listIn(connect(cluster), { clusterKey: cluster, namespace, budget });
    lists.set(key, list);
    const found = await list;
    if (found === "unknown") return { kind: "unknown" };
    const [own, ...others] = found.filter((each) => (targetOf(each.object).name ?? each.name) === name);
    if (own === undefined) return { kind: "gone" };
    return others.length > 0 ? { kind: "unknown" } : stateOf(own);
  };
}

async function listIn(
  cluster: Pick<ClusterConnection, "callObject">,
  { clusterKey, namespace, budget }: { clusterKey: string; namespace: string; budget: TimeBudget },
): Promise<readonly Manifest[] | "unknown"> {
  try {
    const { version } = await discoverWith(cluster, clusterKey, Date.now)(budget);
    const path = pathOf(version, "externalsecrets", { namespace });
    const select = (object: unknown): Manifest | undefined => manifestsOf("cluster", object)[0];
    return await listObjects(cluster, { clusterKey, path, limit: 500, keptMax: 100_000, select }, budget);
  } catch (error) {
    // Without the definitions no object exists.
    if (error instanceof ExternalSecretsNotServed && error.isAbsent) return [];
    if (error instanceof RelayError) return "unknown";
    throw error;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function targetOf(object: Fields): Fields {
  const { target } = (object.spec ?? {}) as { target?: unknown };
  return typeof target === "object" && target !== null ? (target as Fields) : {};
}

function stateOf({ name, object }: Manifest): ExternalSecretState {
  const { creationPolicy = "Owner" } = targetOf(object);
  const { deletionTimestamp, ownerReferences } = object.metadata as Fields;
  const owners = (Array.isArray(ownerReferences) ? ownerReferences : []) as {
    kind?: unknown;
    name?: unknown;
  }[];
  const madeBy = owners.find(({ kind }) => kind === "ClusterExternalSecret")?.name;
  return {
    kind: "exists",
    name,
    creationPolicy: String(creationPolicy),
    isBeingDeleted: deletionTimestamp !== undefined,
    ...(typeof madeBy === "string" && { madeBy }),
  };
}
