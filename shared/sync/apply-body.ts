import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import type { RelayAnnotations } from "../bindings/relay-identity.ts";
import type { ObjectVersion } from "../cluster/live-secret.ts";
import type { DesiredSecret } from "../render/render-secret.ts";

/**
 * The body of the server-side apply, with the fence (measured on kube-apiserver 1.36.3; docs/adr/0002).
 *
 * With a live object: its resourceVersion and uid. With the resourceVersion only, the API server would ignore it and
 * create a new object if the live one has been deleted; with the uid it returns 409.
 *
 * Without a live object: a resourceVersion that no object has. The API server ignores it when it creates the Secret, but
 * returns 409 if another client has created the Secret since.
 */
export function applyBody(desired: DesiredSecret, live: ObjectVersion | undefined, notes: Notes): V1Secret {
  const { annotations, now, readersDue, takeBacks } = notes;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: desired.target.name,
      namespace: desired.target.namespace,
      labels: { ...desired.labels },
      annotations: {
        ...desired.annotations,
        [annotations.writtenAt]: new Date(now).toISOString(),
        ...(readersDue !== undefined && { [annotations.readersDue]: readersDue }),
        ...(takeBacks !== undefined && { [annotations.takeBacks]: takeBacks }),
      },
      ...(live === undefined
        ? { resourceVersion: NEVER_A_RESOURCE_VERSION }
        : { resourceVersion: live.resourceVersion, uid: live.uid }),
    },
    type: desired.type,
    ...(desired.isImmutable && { immutable: true }),
    data: Object.fromEntries(
      [...desired.data].map(([key, value]) => [key, Buffer.from(value.expose()).toString("base64")]),
    ),
  };
}

/** Annotations about the write: its time, pending restarts, and when the relay took fields back. */
export type Notes = {
  readonly annotations: RelayAnnotations;
  readonly now: number;
  readonly readersDue?: string | undefined;
  readonly takeBacks?: string | undefined;
};

/** etcd's revision 1 is the empty store, so every object has 2 or more. */
const NEVER_A_RESOURCE_VERSION = "1";
