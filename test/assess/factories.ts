import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import { type LiveSecret, parseLiveSecret } from "../../shared/cluster/live-secret.ts";
import type { DesiredSecret } from "../../shared/render/render-secret.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { applyBody } from "../../shared/sync/apply-body.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";

export const CANARY = "canary-7f3a9c1e";
export const NOW = Date.UTC(2026, 10, 20, 9, 15, 42);

export type DesiredText = {
  data?: Record<string, string>;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  type?: string;
};

export const desiredOf = ({
  data = { password: "new" },
  labels = {},
  annotations = {},
  type = "Opaque",
}: DesiredText = {}): DesiredSecret => ({
  target: { cluster: "main", namespace: "app", name: "db" },
  versionId: "version-1" as VersionId,
  type,
  labels: { ...labels, [RELAY_METADATA.managedLabel]: RELAY_METADATA.identity },
  annotations: { ...annotations, "secret-relay/version-id": "version-1" },
  data: new Map(Object.entries(data).map(([key, text]) => [key, SecretValue.fromText(text)])),
});

/** The object after the first apply, with managedFields. */
export function appliedSecret(
  desired: DesiredSecret,
  manager = "secret-relay",
  operation = "Apply",
): V1Secret {
  const body = applyBody(desired, undefined, { annotations: RELAY_METADATA.annotations, now: NOW });
  const fields = (map: Record<string, string> = {}) =>
    Object.fromEntries(Object.keys(map).map((key) => [`f:${key}`, {}]));
  const fieldsV1 = {
    "f:metadata": {
      "f:labels": fields(body.metadata?.labels),
      "f:annotations": fields(body.metadata?.annotations),
    },
    "f:data": fields(body.data),
    "f:type": {},
  };
  return {
    ...body,
    metadata: {
      ...body.metadata,
      uid: "uid-1",
      resourceVersion: "7",
      managedFields: [{ manager, operation, fieldsV1 }],
    },
  };
}

export const liveAfter = (desired: DesiredSecret, overrides: Partial<LiveSecret> = {}): LiveSecret => ({
  ...parseLiveSecret(appliedSecret(desired)),
  ...overrides,
});

/** An object with the same data, created by another client, without the relay's label and annotations. */
export const foreignLive = (desired: DesiredSecret, overrides: Partial<LiveSecret> = {}): LiveSecret => ({
  ...parseLiveSecret(appliedSecret(desired, "kubectl-create", "Update")),
  labels: {},
  annotations: {},
  ...overrides,
});
