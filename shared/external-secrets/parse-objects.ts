import { GROUP } from "./eso-api-paths.ts";
import { NUDGE_ANNOTATION, NUDGE_FIELD_MANAGER } from "./nudge.ts";
import type {
  ClusterExternalSecret,
  ExternalSecret,
  Nudgeable,
  Owner,
  PushSecret,
  Reference,
  RefreshStatus,
  SecretStore,
  StoreKind,
  StoreRef,
  SyncWindows,
} from "./objects.ts";
import { parseDuration } from "./parse-duration.ts";

/** Names the source of an object explicitly. ESO itself does not use it. */
const WEBHOOK_ID_ANNOTATION = "reconcile.external-secrets.io/webhook-id";

/** Parses an ExternalSecret of v1 or v1beta1, which have the same fields here; undefined without a name. */
export function parseExternalSecret(raw: unknown): ExternalSecret | undefined {
  const common = parseNudgeable(raw);
  if (common === undefined) return undefined;
  const { spec } = fieldsOf(raw);
  const { secretStoreRef, data, dataFrom, refreshPolicy, refreshInterval, target, syncWindows } =
    fieldsOf(spec);
  const store = parseStoreRef(secretStoreRef);
  const windows = parseSyncWindows(syncWindows);
  const madeBy = parseOwner(raw);
  return {
    kind: "ExternalSecret",
    ...common,
    references: [
      ...listOf(data).map((entry) => parseDataEntry(entry, store)),
      ...listOf(dataFrom).map((entry) => parseDataFromEntry(entry, store)),
    ].filter((reference) => reference !== undefined),
    refreshPolicy:
      refreshPolicy === "CreatedOnce" || refreshPolicy === "OnChange" ? refreshPolicy : "Periodic",
    // The default of the API server and of ESO is one hour.
    refreshIntervalMs: parseDuration(refreshInterval) ?? HOUR_MS,
    ...(windows && { syncWindows: windows }),
    targetName: textOf(fieldsOf(target).name) ?? common.name,
    ...(madeBy !== undefined && { madeBy }),
  };
}

export function parsePushSecret(raw: unknown): PushSecret | undefined {
  const common = parseNudgeable(raw);
  if (common === undefined) return undefined;
  const { secretStoreRefs, selector, data } = fieldsOf(fieldsOf(raw).spec);
  const pushedName = textOf(fieldsOf(fieldsOf(selector).secret).name);
  return {
    kind: "PushSecret",
    ...common,
    ...(pushedName !== undefined && { pushedName }),
    stores: listOf(secretStoreRefs).flatMap((ref) => parseStoreRef(ref) ?? []),
    remoteKeys: listOf(data).flatMap(({ match }) => {
      const key = textOf(fieldsOf(fieldsOf(match).remoteRef).remoteKey);
      return key === undefined ? [] : [key];
    }),
  };
}

export function parseSecretStore(raw: unknown, kind: StoreKind): SecretStore | undefined {
  const { metadata, spec, status } = fieldsOf(raw);
  const name = textOf(fieldsOf(metadata).name);
  if (name === undefined) return undefined;
  const { aws } = fieldsOf(fieldsOf(spec).provider);
  const { service, region, prefix, role } = fieldsOf(aws);
  const accountId = ROLE_ARN.exec(textOf(role) ?? "")?.[1];
  const secretsManager =
    service === "SecretsManager"
      ? {
          region: textOf(region) ?? "",
          prefix: textOf(prefix) ?? "",
          ...(accountId !== undefined && { accountId }),
        }
      : undefined;
  return {
    kind,
    name,
    isReady: parseStatus(status).isReady === true,
    ...(secretsManager && { secretsManager }),
  };
}

export function parseClusterExternalSecret(raw: unknown): ClusterExternalSecret | undefined {
  const { name, uid } = fieldsOf(fieldsOf(raw).metadata);
  if (textOf(name) === undefined || textOf(uid) === undefined) return undefined;
  return { name: name as string, uid: uid as string, ...annotationsOf(raw) };
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);
const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** No id, name or ARN is longer, and an annotation may have 256 KiB. */
const shortTextOf = (value: unknown): string | undefined => {
  const text = textOf(value);
  return text !== undefined && text.length <= TEXT_LENGTH_MAX ? text : undefined;
};

const TEXT_LENGTH_MAX = 2_048;

function parseNudgeable(raw: unknown): Nudgeable | undefined {
  const { metadata, status } = fieldsOf(raw);
  const { namespace, name, deletionTimestamp, managedFields } = fieldsOf(metadata);
  if (typeof namespace !== "string" || typeof name !== "string") return undefined;
  const ours = listOf(managedFields).find(({ manager }) => manager === NUDGE_FIELD_MANAGER);
  const nudgedAt = parseTime(ours?.time);
  return {
    namespace,
    name,
    isBeingDeleted: deletionTimestamp !== undefined,
    ...annotationsOf(raw),
    ...(nudgedAt !== undefined && { nudgedAt }),
    status: parseStatus(status),
  };
}

function annotationsOf(raw: unknown): Pick<Nudgeable, "webhookId" | "nudge"> {
  const annotations = fieldsOf(fieldsOf(fieldsOf(raw).metadata).annotations);
  const webhookId = shortTextOf(annotations[WEBHOOK_ID_ANNOTATION]);
  const nudge = shortTextOf(annotations[NUDGE_ANNOTATION]);
  return { ...(webhookId !== undefined && { webhookId }), ...(nudge !== undefined && { nudge }) };
}

export function parseStatus(status: unknown): RefreshStatus {
  const { refreshTime, syncedResourceVersion, conditions } = fieldsOf(status);
  const ready = listOf(conditions).find(({ type }) => type === "Ready");
  const refreshedAt = parseTime(refreshTime);
  const synced = textOf(syncedResourceVersion);
  const reason = textOf(ready?.reason);
  return {
    ...(refreshedAt !== undefined && { refreshedAt }),
    ...(synced !== undefined && { syncedResourceVersion: synced }),
    ...(ready !== undefined && { isReady: ready.status === "True" }),
    ...(reason !== undefined && CODE_WORD.test(reason) && { reason }),
  };
}

/** A reason is one word in camel case; anything else is not logged. */
const CODE_WORD = /^[A-Za-z][A-Za-z0-9]{0,63}$/;

function parseTime(time: unknown): number | undefined {
  const ms = Date.parse(textOf(time) ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

function parseDataEntry(
  { remoteRef, sourceRef }: Fields,
  ofSpec: StoreRef | undefined,
): Reference | undefined {
  return parseKey(remoteRef, parseStoreRef(fieldsOf(sourceRef).storeRef) ?? ofSpec);
}

function parseDataFromEntry(
  { extract, find, sourceRef }: Fields,
  ofSpec: StoreRef | undefined,
): Reference | undefined {
  const { storeRef, generatorRef } = fieldsOf(sourceRef);
  const store = parseStoreRef(storeRef) ?? ofSpec;
  if (generatorRef !== undefined) return { kind: "generator", store: undefined };
  if (find === undefined) return parseKey(extract, store);
  const { path, name, tags } = fieldsOf(find);
  const nameRegexp = textOf(fieldsOf(name).regexp);
  const texts = Object.entries(fieldsOf(tags)).filter(
    (tag): tag is [string, string] => typeof tag[1] === "string",
  );
  return {
    kind: "find",
    store,
    ...(textOf(path) !== undefined && { path: textOf(path) as string }),
    ...(nameRegexp !== undefined && { nameRegexp }),
    tags: Object.fromEntries(texts),
  };
}

function parseKey(ref: unknown, store: StoreRef | undefined): Reference | undefined {
  const { key, version } = fieldsOf(ref);
  if (typeof key !== "string") return undefined;
  return {
    kind: "key",
    store,
    key: key.length > TEXT_LENGTH_MAX ? TOO_LONG : key,
    ...(textOf(version) !== undefined && { version: textOf(version) as string }),
  };
}

function parseStoreRef(ref: unknown): StoreRef | undefined {
  const { name, kind } = fieldsOf(ref);
  if (textOf(name) === undefined) return undefined;
  return {
    kind: kind === "ClusterSecretStore" ? kind : "SecretStore",
    name: name as string,
  };
}

function parseSyncWindows(raw: unknown): SyncWindows | undefined {
  const { kind, windows } = fieldsOf(raw);
  if (kind !== "allow" && kind !== "deny") return undefined;
  const all = listOf(windows);
  if (all.length > WINDOWS_MAX) return undefined; // not known, and a refresh that fails is then reported
  const parsed = all.flatMap(({ schedule, duration }) => {
    const durationMs = parseDuration(duration);
    return typeof schedule === "string" && durationMs !== undefined ? [{ schedule, durationMs }] : [];
  });
  return { kind, windows: parsed };
}

/** The controller of a ClusterExternalSecret sets a controller ownerReference of ESO's own group. */
function parseOwner(raw: unknown): Owner | undefined {
  const owners = listOf(fieldsOf(fieldsOf(raw).metadata).ownerReferences);
  const owner = owners.find(({ controller }) => controller === true);
  const { apiVersion, kind, name, uid } = owner ?? {};
  const isMaker = textOf(apiVersion)?.startsWith(`${GROUP}/`) === true && kind === "ClusterExternalSecret";
  return isMaker && textOf(name) !== undefined && textOf(uid) !== undefined
    ? { name: name as string, uid: uid as string }
    : undefined;
}

const WINDOWS_MAX = 100;

/** Stands for a key that no source can have. */
const TOO_LONG = " ";

const HOUR_MS = 3_600_000;
const ROLE_ARN = /^arn:[a-z-]+:iam::([0-9]{12}):role\//;
