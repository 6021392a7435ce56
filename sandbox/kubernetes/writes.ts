import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { applyFields } from "./apply.ts";
import type { FieldShape } from "./field-set.ts";
import { decodeOwners, encodeOwners, type Owners, trackUpdate, type Writer } from "./managed-fields.ts";
import { identityProblems, metadataProblems, normalizeMetadata, typeProblemOfMetadata } from "./metadata.ts";
import { type Fields, fieldsOf, isFields, type KubernetesObject, type ObjectMeta } from "./object.ts";
import { jsonPatch, mergePatch, strategicMergePatch } from "./patches.ts";
import { apiVersionOf, NAMESPACES, type Resource } from "./resources.ts";
import {
  ApiStatus,
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  invalidValue,
  notFound,
  preconditionFailed,
  resourceDetails,
  type Status,
  stale,
  unclassified,
} from "./status.ts";
import { newUid, type Store } from "./store.ts";

/** The target of a write and its caller. */
export type Write = {
  store: Store;
  resource: Resource;
  namespace: string | undefined;
  /** Empty only for a POST. */
  name: string;
  /** Then only the status is written, where the resource has one; otherwise everything else. */
  subresource?: "status" | undefined;
  manager: string;
  force: boolean;
  dryRun: boolean;
  now: Date;
  warn(message: string): void;
};

export type Written = { code: 200 | 201; object: KubernetesObject };

export function createObject(write: Write, body: unknown, isStrict: boolean): Written {
  const given = decode(write, body, isStrict);
  assertNamespaceMatches(write, given.metadata.namespace);
  if (given.metadata.resourceVersion) {
    throw unclassified("resourceVersion should not be set on objects to be created");
  }
  const object = withinReach(write, undefined, { ...given, metadata: withoutLedger(given.metadata) });
  const owners = trackUpdate(undefined, object, new Map(), updateOf(write));
  return { code: 201, object: finishCreate(write, object, owners) };
}

export function replaceObject(write: Write, body: unknown, isStrict: boolean): Written {
  const { store, resource, namespace, name } = write;
  const object = decode(write, body, isStrict);
  assertNameMatches(write, object.metadata.name);
  assertNamespaceMatches(write, object.metadata.namespace);
  const live = store.find(resource, namespace, name);
  if (!live) throw notFound(resource, name);
  const { uid, resourceVersion } = object.metadata;
  if (uid && uid !== live.metadata.uid) {
    const key = `/registry/${resource.resource}/${namespace ? `${namespace}/` : ""}${name}`;
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`;
    throw conflict(
      resource,
      name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
    );
  }
  if (!resourceVersion && !resource.isBuiltIn) {
    const why = "must be specified for an update";
    throw invalid(resource, name, [invalidValue("metadata.resourceVersion", 0, why)]);
  }
  return { code: 200, object: trackedUpdate(write, live, object) };
}

export type PatchType = "merge" | "strategic" | "json";

export function patchObject(write: Write, patch: unknown, type: PatchType): Written {
  const { store, resource, namespace, name } = write;
  const live = store.find(resource, namespace, name);
  if (!live) throw notFound(resource, name);
  const patched = fieldsOf(patchedBy(type, live, patch, resource.shape));
  const problem = resource.decodeProblem?.(patched);
  if (problem) throw undecodablePatch(patched, problem);
  const object = decodeKnown(resource, patched);
  assertNameMatches(write, object.metadata.name);
  assertNamespaceMatches(write, object.metadata.namespace);
  return { code: 200, object: trackedUpdate(write, live, object) };
}

function patchedBy(type: PatchType, live: KubernetesObject, patch: unknown, shape: FieldShape): unknown {
  if (type === "json") return jsonPatch(live, patch);
  return type === "merge" ? mergePatch(live, patch) : strategicMergePatch(live, patch, shape);
}

/** A PATCH of application/apply-patch+yaml. If the object does not exist, the caller also needs `create`. */
export function applyObject(write: Write, body: unknown, assertMayCreate: () => void): Written {
  const { store, resource, namespace, name } = write;
  const live = store.find(resource, namespace, name);
  if (!live) assertMayCreate();
  const applied = decodeApplied(write, body);
  const { resourceVersion, ...metadata } = applied.metadata;
  const version = parseResourceVersion(resourceVersion);
  const base = live ? { ...live, metadata: withoutLedger(live.metadata) } : emptyObject(resource);
  const result = applyFields(base, { ...applied, metadata }, decodeOwners(live?.metadata.managedFields), {
    writer: writerOf(write, "Apply"),
    shape: resource.shape,
    time: timeOf(write.now),
    force: write.force,
  });
  const problem = resource.decodeProblem?.(result.object);
  if (problem) {
    const why = `to proper version: unable to convert unstructured object to ${kindOf(resource)}: error decoding from json`;
    throw unclassified(`failed to convert new object (/${name}; ${kindOf(resource)}) ${why}: ${problem}`);
  }
  const object = decodeKnown(resource, result.object);
  if (!live) {
    // A resourceVersion alone demands nothing here: only a uid requires an existing object.
    if (metadata.uid) throw uidOfNothing(write, metadata.uid);
    assertNameMatches(write, object.metadata.name);
    assertNamespaceMatches(write, object.metadata.namespace);
    return { code: 201, object: finishCreate(write, object, result.owners) };
  }
  assertNameMatches(write, object.metadata.name);
  assertNamespaceMatches(write, object.metadata.namespace);
  if (version !== undefined && String(version) !== live.metadata.resourceVersion) throw stale(resource, name);
  return { code: 200, object: finishUpdate(write, live, object, result.owners) };
}

/** A Status if the object is gone; the object itself if a finalizer still holds it. */
export function deleteObject(write: Write, options: unknown): KubernetesObject | Status {
  const { store, resource, namespace, name, now } = write;
  const live = store.find(resource, namespace, name);
  if (!live) throw notFound(resource, name);
  assertPreconditions(write, live, fieldsOf(fieldsOf(options).preconditions));
  if (live.metadata.finalizers?.length || resource === NAMESPACES) {
    if (live.metadata.deletionTimestamp) return live;
    const isNamespace = resource === NAMESPACES;
    const metadata: ObjectMeta = {
      ...live.metadata,
      deletionTimestamp: timeOf(now),
      ...(isNamespace ? {} : { deletionGracePeriodSeconds: 0 }),
    };
    const marked = { ...live, metadata, ...(isNamespace ? { status: { phase: "Terminating" } } : {}) };
    return write.dryRun ? marked : store.put(resource, marked);
  }
  if (!write.dryRun) store.delete(resource, live);
  const details = {
    ...resourceDetails(resource, name),
    ...(live.metadata.uid ? { uid: live.metadata.uid } : {}),
  };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

function trackedUpdate(write: Write, live: KubernetesObject, sent: KubernetesObject): KubernetesObject {
  const object = withinReach(write, live, sent);
  const version = parseResourceVersion(object.metadata.resourceVersion);
  const before = { ...live, metadata: withoutLedger(live.metadata) };
  const after = { ...object, metadata: keepIdentity(live, withoutLedger(object.metadata)) };
  const given = object.metadata.managedFields;
  const owners = trackUpdate(before, after, ownersAfter(live, given), updateOf(write));
  if (version !== undefined && String(version) !== live.metadata.resourceVersion) {
    throw stale(write.resource, write.name);
  }
  return finishUpdate(write, live, { ...object, metadata: withoutLedger(object.metadata) }, owners);
}

/** The part of the request that this path writes; the rest stays unchanged. */
function withinReach(
  { resource, subresource }: Write,
  live: KubernetesObject | undefined,
  sent: KubernetesObject,
): KubernetesObject {
  if (!resource.hasStatus) return sent;
  const withStatusOf = (object: KubernetesObject, other: KubernetesObject | undefined): KubernetesObject => {
    const { status: _status, ...rest } = object;
    return other?.status === undefined ? rest : { ...rest, status: other.status };
  };
  if (subresource !== "status" || live === undefined) return withStatusOf(sent, live);
  const { resourceVersion } = sent.metadata;
  const metadata = { ...live.metadata, ...(resourceVersion !== undefined && { resourceVersion }) };
  return withStatusOf({ ...live, metadata }, sent);
}

/** A client may write managedFields itself: one empty entry clears them, and no entry keeps them. */
function ownersAfter(live: KubernetesObject, given: ObjectMeta["managedFields"]): Owners {
  if (given?.length === 1 && Object.keys(given[0] ?? {}).length === 0) return new Map();
  const owners = decodeOwners(given);
  return owners.size > 0 ? owners : decodeOwners(live.metadata.managedFields);
}

function finishCreate(write: Write, object: KubernetesObject, owners: Owners): KubernetesObject {
  const { store, resource, namespace, now } = write;
  const { metadata } = object;
  const generated = metadata.generateName ? `${metadata.generateName}${randomSuffix()}` : "";
  const name = metadata.name || generated;
  assertNamespaceTakesContent(write, name);
  const managedFields = encodeOwners(owners);
  const created: KubernetesObject = {
    ...(resource.fillIn?.(object) ?? object),
    metadata: {
      ...metadata,
      name,
      ...(resource.namespaced && namespace ? { namespace } : {}),
      uid: newUid(),
      creationTimestamp: timeOf(now),
      ...(resource.hasGeneration ? { generation: 1 } : {}),
      ...(managedFields.length > 0 ? { managedFields } : {}),
    },
  };
  const problems = [...metadataProblems(created, resource.namesAre), ...(resource.problems?.(created) ?? [])];
  if (problems.length > 0) throw invalid(resource, name, problems);
  if (store.find(resource, namespace, name)) throw alreadyExists(resource, name);
  return write.dryRun ? created : store.put(resource, created);
}

function finishUpdate(
  write: Write,
  live: KubernetesObject,
  object: KubernetesObject,
  owners: Owners,
): KubernetesObject {
  const { store, resource, name } = write;
  const identity = identityProblems(live, object);
  const managedFields = encodeOwners(owners);
  const { managedFields: _ledger, ...metadata } = keepIdentity(live, object.metadata);
  const generation = nextGeneration(resource, live, object);
  const updated: KubernetesObject = {
    ...object,
    metadata: {
      ...metadata,
      ...(generation === undefined ? {} : { generation }),
      ...(managedFields.length > 0 ? { managedFields } : {}),
    },
  };
  const problems = [
    ...identity,
    ...(resource.changeProblems ? identity : []),
    ...(resource.changeProblems?.(live, updated) ?? []),
    ...metadataProblems(updated, resource.namesAre),
    ...(resource.problems?.(updated) ?? []),
  ];
  if (problems.length > 0) throw invalid(resource, name, problems);
  // Only times differ: then nothing was written, and version and times stay.
  if (isDeepStrictEqual(withoutTimes(live), withoutTimes(updated))) return live;
  if (write.dryRun) return updated;
  if (live.metadata.deletionTimestamp && !updated.metadata.finalizers?.length && resource !== NAMESPACES) {
    store.delete(resource, updated);
    return updated;
  }
  return store.put(resource, updated);
}

/** Immutable fields come from the live object. */
function keepIdentity(live: KubernetesObject, metadata: ObjectMeta): ObjectMeta {
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = live.metadata;
  const { resourceVersion, namespace, name } = live.metadata;
  const kept = { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation };
  return withoutEmptyValues({ ...metadata, ...kept, resourceVersion, namespace, name });
}

const withoutEmptyValues = (metadata: Record<string, unknown>): ObjectMeta =>
  Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));

function nextGeneration(
  resource: Resource,
  live: KubernetesObject,
  object: KubernetesObject,
): number | undefined {
  if (!resource.hasGeneration) return undefined;
  const { generation = 1 } = live.metadata;
  const isSame =
    isDeepStrictEqual(live.spec, object.spec) &&
    (!resource.countsAnnotations ||
      isDeepStrictEqual(live.metadata.annotations ?? {}, object.metadata.annotations ?? {}));
  return isSame ? generation : generation + 1;
}

function withoutTimes(object: KubernetesObject): unknown {
  const managedFields = object.metadata.managedFields?.map(({ time: _time, ...entry }) => entry);
  // Compared as a set: the sent order depends on times.
  const sorted = managedFields?.map((entry) => JSON.stringify(entry)).sort();
  return { ...object, metadata: { ...object.metadata, managedFields: sorted } };
}

function decode(write: Write, body: unknown, isStrict: boolean): KubernetesObject {
  const { resource } = write;
  const { kind } = resource;
  const given = fieldsOf(body);
  if (given.kind !== undefined && given.kind !== kind) {
    const why = `converting (${resource.version}.${given.kind}) to (core.${kind}): unknown conversion`;
    throw badRequest(`${given.kind} in version "${resource.version}" cannot be handled as a ${kind}: ${why}`);
  }
  const version = given.apiVersion;
  if (version !== undefined && version !== apiVersionOf(resource)) {
    const why = `no kind "${kind}" is registered for version "${version}"`;
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  }
  const unknown = resource.unknownFields?.(given) ?? [];
  const prefix = `${kind} in version "${resource.version}" cannot be handled as a ${kind}`;
  if (isStrict && unknown.length > 0) {
    throw badRequest(
      `${prefix}: strict decoding error: ${unknown.map((field) => `unknown field "${field}"`).join(", ")}`,
    );
  }
  for (const field of unknown) write.warn(`unknown field "${field}"`);
  const problem = resource.decodeProblem?.(given);
  if (problem) throw badRequest(`${prefix}: ${problem}`);
  const kept = Object.fromEntries(Object.entries(given).filter(([field]) => !unknown.includes(field)));
  return decodeKnown(resource, kept);
}

function decodeKnown(resource: Resource, given: Fields): KubernetesObject {
  const normalized = resource.normalize?.(given) ?? given;
  return {
    ...normalized,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: normalizeMetadata(normalized.metadata),
  };
}

/**
 * An applied object is checked against the schema, and otherwise kept as sent: its content is what its manager owns.
 */
function decodeApplied({ resource, name }: Write, body: unknown): KubernetesObject {
  if (!isFields(body)) throw badRequest("error decoding YAML: the object is not a map");
  const { apiVersion, kind, metadata: given } = body;
  if (apiVersion !== apiVersionOf(resource) || kind !== resource.kind) {
    throw badRequest(`invalid object type: ${printKind(String(apiVersion), String(kind))}`);
  }
  const { creationTimestamp: _time, ...metadata } = fieldsOf(given);
  if (metadata.managedFields !== undefined && metadata.managedFields !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const problem = typeProblemOfMetadata(given) ?? resource.typeProblem?.(body);
  if (problem) {
    throw unclassified(`failed to create typed patch object (/${name}; ${kindOf(resource)}): ${problem}`);
  }
  return { ...body, metadata } as KubernetesObject;
}

/** As a real server does, this repeats the whole patched object with its values: a client must never log it. */
function undecodablePatch(patched: Fields, problem: string): ApiStatus {
  const cause = {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: error decoding from json: ${problem}`,
    field: "patch",
  };
  return new ApiStatus(422, "Invalid", ` "" is invalid: patch: ${cause.message}`, { causes: [cause] });
}

function assertNameMatches({ name }: Write, given: string | undefined): void {
  if (!given) throw badRequest("name must be provided");
  if (given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
}

function assertNamespaceMatches({ namespace, resource }: Write, given: string | undefined): void {
  if (resource.namespaced && given && given !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

function assertNamespaceTakesContent({ store, resource, namespace }: Write, name: string): void {
  if (!resource.namespaced || namespace === undefined) return;
  const owner = store.find(NAMESPACES, undefined, namespace);
  if (!owner) throw notFound(NAMESPACES, namespace);
  if (!owner.metadata.deletionTimestamp) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  const details = { ...resourceDetails(resource, name), causes: [cause] };
  throw new ApiStatus(403, "Forbidden", `${details.kind} "${name}" is forbidden: ${why}`, details);
}

function assertPreconditions({ resource, name }: Write, live: KubernetesObject, preconditions: Fields): void {
  const { uid, resourceVersion } = live.metadata;
  const wanted = preconditions.uid;
  if (wanted && wanted !== uid) {
    const why = `the UID in the precondition (${wanted}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw preconditionFailed(resource, name, why);
  }
  const version = preconditions.resourceVersion;
  if (version && version !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${version}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw preconditionFailed(resource, name, why);
  }
}

const uidOfNothing = ({ resource, name }: Write, uid: string): ApiStatus =>
  conflict(
    resource,
    name,
    `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
  );

/** Empty and "0" both mean any version. */
function parseResourceVersion(text: string | undefined): bigint | undefined {
  if (!text) return undefined;
  if (!/^\d+$/.test(text)) throw unclassified(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  const version = BigInt(text);
  return version === 0n ? undefined : version;
}

const withoutLedger = ({ managedFields: _ledger, ...metadata }: ObjectMeta): ObjectMeta => metadata;

const emptyObject = (resource: Resource): KubernetesObject => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  metadata: {},
});

const writerOf = ({ manager, resource }: Write, operation: Writer["operation"]): Writer => ({
  manager,
  operation,
  apiVersion: apiVersionOf(resource),
});

const updateOf = (write: Write) => ({
  writer: writerOf(write, "Update"),
  shape: write.resource.shape,
  time: timeOf(write.now),
});

const printKind = (apiVersion: string, kind: string): string =>
  `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

const kindOf = (resource: Resource): string => printKind(apiVersionOf(resource), resource.kind);

const timeOf = (now: Date): string => `${now.toISOString().slice(0, 19)}Z`;

// Go's alphabet for generated names: no vowels, and no similar characters.
const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

const randomSuffix = (): string =>
  [...randomBytes(5)].map((byte) => SUFFIX_ALPHABET[byte % SUFFIX_ALPHABET.length]).join("");
