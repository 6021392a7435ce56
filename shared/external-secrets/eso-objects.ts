import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { Served } from "./discover.ts";
import { PUSH_SECRET_VERSION, pathOf, type Resource } from "./eso-api-paths.ts";
import { NUDGE_FIELD_MANAGER, nudgePatch } from "./nudge.ts";
import type { ClusterExternalSecret, ExternalSecret, PushSecret, SecretStore, StoreRef } from "./objects.ts";
import {
  parseClusterExternalSecret,
  parseExternalSecret,
  parsePushSecret,
  parseSecretStore,
} from "./parse-objects.ts";

/** The API calls of trigger mode: ESO's objects, never a Secret. */
export type EsoObjects = {
  listExternalSecrets(namespace: string | undefined): Promise<readonly ExternalSecret[]>;
  listPushSecrets(namespace: string | undefined): Promise<readonly PushSecret[]>;
  /** This and the next methods return undefined for a missing object. */
  readExternalSecret(of: ObjectName): Promise<ExternalSecret | undefined>;
  readPushSecret(of: ObjectName): Promise<PushSecret | undefined>;
  readStore(ref: StoreRef, namespace: string): Promise<SecretStore | undefined>;
  readClusterExternalSecret(name: string): Promise<ClusterExternalSecret | undefined>;
  /** Writes the annotation and returns the updated object. */
  nudgeExternalSecret(of: ObjectName, value: string): Promise<ExternalSecret | undefined>;
  nudgePushSecret(of: ObjectName, value: string): Promise<PushSecret | undefined>;
  nudgeClusterExternalSecret(name: string, value: string): Promise<void>;
};

type ObjectName = { readonly namespace: string; readonly name: string };

export function esoObjects(
  cluster: Pick<ClusterConnection, "callObject">,
  { version }: Served,
  budget: TimeBudget,
): EsoObjects {
  const get = (path: string, query?: Record<string, string>) =>
    cluster.callObject({ method: "GET", path, ...(query && { query }) }, budget);
  const nudge = (path: string, value: string) =>
    cluster.callObject(
      { method: "PATCH", path, query: { fieldManager: NUDGE_FIELD_MANAGER }, body: nudgePatch(value) },
      budget,
    );
  const list = async (path: string): Promise<readonly unknown[]> => {
    const items: unknown[] = [];
    let continueToken: string | undefined;
    do {
      const query = { limit: String(PAGE_SIZE), ...(continueToken && { continue: continueToken }) };
      const page = (await get(path, query)) as Page | undefined;
      items.push(...(page?.items ?? []));
      continueToken = page?.metadata?.continue;
    } while (continueToken && items.length < OBJECTS_MAX);
    return items;
  };
  const external = (of: { namespace?: string | undefined; name?: string }) =>
    pathOf(version, "externalsecrets", of);
  const push = (of: { namespace?: string | undefined; name?: string }) =>
    pathOf(PUSH_SECRET_VERSION, "pushsecrets", of);
  return {
    listExternalSecrets: async (namespace) =>
      (await list(external({ namespace }))).flatMap((raw) => parseExternalSecret(raw) ?? []),
    listPushSecrets: async (namespace) =>
      (await list(push({ namespace }))).flatMap((raw) => parsePushSecret(raw) ?? []),
    readExternalSecret: async (of) => parseExternalSecret(await get(external(of))),
    readPushSecret: async (of) => parsePushSecret(await get(push(of))),
    readStore: async ({ kind, name }, namespace) => {
      const resource: Resource = kind === "SecretStore" ? "secretstores" : "clustersecretstores";
      const path = pathOf(version, resource, kind === "SecretStore" ? { namespace, name } : { name });
      return parseSecretStore(await get(path), kind);
    },
    readClusterExternalSecret: async (name) =>
      parseClusterExternalSecret(await get(pathOf(version, "clusterexternalsecrets", { name }))),
    nudgeExternalSecret: async (of, value) => parseExternalSecret(await nudge(external(of), value)),
    nudgePushSecret: async (of, value) => parsePushSecret(await nudge(push(of), value)),
    nudgeClusterExternalSecret: async (name, value) => {
      await nudge(pathOf(version, "clusterexternalsecrets", { name }), value);
    },
  };
}

type Page = { readonly items?: readonly unknown[]; readonly metadata?: { readonly continue?: string } };

/** An ExternalSecret with its managedFields is 2 to 5 kB. */
const PAGE_SIZE = 500;

/** The limit of one list; more than 100 MB would not fit into the function's memory. */
const OBJECTS_MAX = 20_000;
