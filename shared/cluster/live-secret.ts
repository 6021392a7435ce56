import type { V1ObjectMeta } from "@kubernetes/client-node/dist/gen/models/V1ObjectMeta.js";
import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import { SecretValue } from "../secret-value/secret-value.ts";
import { type ManagedFields, parseManagedFields } from "./managed-fields.ts";

/** What can be known of a Secret without seeing a value. */
export type LiveMetadata = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  /** Somebody deleted it and a finalizer holds it. */
  readonly isBeingDeleted: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly managedFields: ManagedFields;
  /** Kind and name of the owner that reconciles it, from the controller ownerReference. */
  readonly controller?: { readonly kind: string; readonly name: string };
};

/** A target as it is in the cluster, with its values. */
export type LiveSecret = LiveMetadata & {
  readonly immutable: boolean;
  /** As the API server gave them, for the rare write that moves the ownership of fields. */
  readonly rawManagedFields: readonly object[];
  readonly data: ReadonlyMap<string, SecretValue>;
};

/** Throws where anything of it has another shape than in a Secret. */
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

/** `type` is no part of an object's metadata; a Table has it in a column of its own. */
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

function textOf(value: unknown = ""): string {
  if (typeof value !== "string") throw new TypeError("This is no text");
  return value;
}

function textsOf(values: unknown = {}): Readonly<Record<string, string>> {
  const isMap = typeof values === "object" && values !== null && !Array.isArray(values);
  if (!isMap || !Object.values(values).every((value) => typeof value === "string")) {
    throw new TypeError("These are not texts by name");
  }
  return values as Readonly<Record<string, string>>;
}
