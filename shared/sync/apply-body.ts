import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import type { RelayAnnotations } from "../bindings/relay-identity.ts";
import type { ObjectVersion } from "../cluster/live-secret.ts";
import type { DesiredSecret } from "../render/render-secret.ts";

/**
 * The body of the server-side apply, with the fence in it.
 *
 * Over a live object: its resourceVersion and its uid. The resourceVersion alone would not do: if the object was deleted
 * meanwhile, the API server drops it and creates a new one; with the uid it answers 409.
 *
 * Where nothing was live: a resourceVersion that no object ever has. On the create path the API server drops it too, so
 * the apply creates; but if somebody created the Secret meanwhile, it answers 409 instead of writing over it (measured
 * on kube-apiserver 1.36.3; docs/adr/0002).
 */
export function applyBody(desired: DesiredSecret, live: ObjectVersion | undefined, notes: Notes): V1Secret {
  const { annotations: names, now, readersDue, takeBacks } = notes;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: desired.target.name,
      namespace: desired.target.namespace,
      labels: { ...desired.labels },
      annotations: {
        ...desired.annotations,
        [names.writtenAt]: new Date(now).toISOString(),
        ...(readersDue !== undefined && { [names.readersDue]: readersDue }),
        ...(takeBacks !== undefined && { [names.takeBacks]: takeBacks }),
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

/** What the relay notes with the data: when it wrote, whose restart is due, and when it took fields back. */
export type Notes = {
  readonly annotations: RelayAnnotations;
  readonly now: number;
  readonly readersDue?: string | undefined;
  readonly takeBacks?: string | undefined;
};

/** etcd's first revision is 1 and belongs to an empty store: the first object written has 2 or more. */
const NEVER_A_RESOURCE_VERSION = "1";
