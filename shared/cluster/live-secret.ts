import type { V1ObjectMeta } from "@kubernetes/client-node/dist/gen/models/V1ObjectMeta.js";
import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import { SecretValue } from "../source/secret-value.ts";
import { type ManagedFields, parseManagedFields } from "./managed-fields.ts";

export type SecretName = { readonly namespace: string; readonly name: string };

/** One state of an object: a write or a deletion applies only to this state. */
export type ObjectVersion = { readonly uid: string; readonly resourceVersion: string };

/** A Secret without its values. */
export type LiveMetadata = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  /** A finalizer blocks its deletion. */
  readonly isBeingDeleted: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly managedFields: ManagedFields;
  /** The owner that reconciles it, from the controller ownerReference. */
  readonly controller?: { readonly kind: string; readonly name: string };
};

/** A target as it is in the cluster, with its values. */
export type LiveSecret = LiveMetadata & {
  readonly immutable: boolean;
  /** As the API server returned them; for writes that move the ownership of fields. */
  readonly rawManagedFields: readonly object[];
  readonly data: ReadonlyMap<string, SecretValue>;
};

/** Throws a TypeError when a field has another type than a Secret's. */
export function parseLiveSecret(secret: V1Secret): LiveSecret {
  return {
    ...parseLiveMetadata(secret.metadata ?? {}, secret.type),
    immutable: secret.immutable === true,
    rawManagedFields: secret.metadata?.managedFields ?? [],
    data: new Map(
      Object.entries(textsOf(secret.data)).map(([key, base64]) => [key, SecretValue.fromBase64(base64)]),
    ),
  };
}

/** `type` comes apart from the metadata: a Table has it in its own column. */
export function parseLiveMetadata(meta: V1ObjectMeta, type: unknown = "Opaque"): LiveMetadata {
  const controller = meta.ownerReferences?.find((owner) => owner.controller === true);
  return {
    namespace: textOf(meta.namespace),
    name: textOf(meta.name),
    uid: textOf(meta.uid),
    resourceVersion: textOf(meta.resourceVersion),
    type: textOf(type),
    isBeingDeleted: meta.deletionTimestamp !== undefined,
    labels: textsOf(meta.labels),
    annotations: textsOf(meta.annotations),
    managedFields: parseManagedFields(meta.managedFields ?? []),
    ...(controller && { controller: { kind: textOf(controller.kind), name: textOf(controller.name) } }),
  };
}

export function isNamed(live: SecretName, { namespace, name }: SecretName): boolean {
  return live.namespace === namespace && live.name === name;
}

/** Without a uid and a resourceVersion a write cannot be fenced. */
export function canBeFenced({ uid, resourceVersion }: ObjectVersion): boolean {
  return uid !== "" && resourceVersion !== "";
}

function textOf(value: unknown = ""): string {
  if (typeof value !== "string") throw new TypeError("Expected a string");
  return value;
}

function textsOf(values: unknown = {}): Readonly<Record<string, string>> {
  const isMap = typeof values === "object" && values !== null && !Array.isArray(values);
  if (!isMap || !Object.values(values).every((value) => typeof value === "string")) {
    throw new TypeError("Expected a map of strings");
  }
  return values as Readonly<Record<string, string>>;
}
