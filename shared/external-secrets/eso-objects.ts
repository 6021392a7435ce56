import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { listObjects } from "../cluster/list-objects.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { Served } from "./discover.ts";
import { PUSH_SECRET_VERSION, pathOf, type Resource } from "./eso-api-paths.ts";
import { NUDGE_FIELD_MANAGER, nudgePatch } from "./nudge.ts";
import type {
  ClusterExternalSecret,
  ExternalSecret,
  Owner,
  PushSecret,
  SecretStore,
  StoreRef,
} from "./objects.ts";
import {
  parseClusterExternalSecret,
  parseExternalSecret,
  parsePushSecret,
  parseSecretStore,
} from "./parse-objects.ts";

/** The API calls of trigger mode: ESO's objects, never a Secret. */
export type EsoObjects = {
  /** Those that `keep` accepts. */
  listExternalSecrets(
    namespace: string | undefined,
    keep: (external: ExternalSecret) => boolean,
  ): Promise<Listed<ExternalSecret>>;
  listPushSecrets(
    namespace: string | undefined,
    keep: (push: PushSecret) => boolean,
  ): Promise<Listed<PushSecret>>;
  /** This and the next methods return undefined for a missing object. */
  readExternalSecret(of: ObjectName): Promise<ExternalSecret | undefined>;
  readPushSecret(of: ObjectName): Promise<PushSecret | undefined>;
  readStore(ref: StoreRef, namespace: string): Promise<SecretStore | undefined>;
  readClusterExternalSecret(name: string): Promise<ClusterExternalSecret | undefined>;
  /** Writes the annotation and returns the updated object. */
  nudgeExternalSecret(of: ObjectName, value: string): Promise<ExternalSecret | undefined>;
  nudgePushSecret(of: ObjectName, value: string): Promise<PushSecret | undefined>;
  nudgeClusterExternalSecret(owner: Owner, value: string): Promise<void>;
};

/** `isCut` if more objects were accepted than fit into the memory of the function. */
export type Listed<T> = { readonly objects: readonly T[]; readonly isCut: boolean };

type ObjectName = { readonly namespace: string; readonly name: string };

export function esoObjects(
  cluster: Pick<ClusterConnection, "callObject">,
  clusterKey: string,
  { version }: Served,
  budget: TimeBudget,
): EsoObjects {
  const get = (path: string) => cluster.callObject({ method: "GET", path }, budget);
  const nudge = (path: string, value: string, uid?: string) => {
    const query = { fieldManager: NUDGE_FIELD_MANAGER };
    return cluster.callObject({ method: "PATCH", path, query, body: nudgePatch(value, uid) }, budget);
  };
  const list = async <T>(
    path: string,
    parse: (raw: unknown) => T | undefined,
    keep: (object: T) => boolean,
  ): Promise<Listed<T>> => {
    let characters = 0;
    const select = (raw: unknown): T | undefined => {
      const object = parse(raw);
      if (object === undefined || !keep(object)) return undefined;
      characters += JSON.stringify(object).length;
      return characters > KEPT_CHARACTERS_MAX ? undefined : object;
    };
    const request = { clusterKey, path, limit: PAGE_SIZE, keptMax: KEPT_MAX, select };
    const objects = await listObjects(cluster, request, budget);
    return { objects, isCut: characters > KEPT_CHARACTERS_MAX };
  };
  const external = (of: { namespace?: string | undefined; name?: string }) =>
    pathOf(version, "externalsecrets", of);
  const push = (of: { namespace?: string | undefined; name?: string }) =>
    pathOf(PUSH_SECRET_VERSION, "pushsecrets", of);
  return {
    listExternalSecrets: (namespace, keep) => list(external({ namespace }), parseExternalSecret, keep),
    listPushSecrets: (namespace, keep) => list(push({ namespace }), parsePushSecret, keep),
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
    nudgeClusterExternalSecret: async ({ name, uid }, value) => {
      await nudge(pathOf(version, "clusterexternalsecrets", { name }), value, uid);
    },
  };
}

/** An ExternalSecret with its managedFields is 2 to 5 kB. */
const PAGE_SIZE = 500;

/** Its parsed references take 500 characters. */
const KEPT_CHARACTERS_MAX = 16_000_000;
const KEPT_MAX = 100_000;
