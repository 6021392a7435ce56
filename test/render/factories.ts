import type { Binding, KeyRule } from "../../shared/bindings/binding.ts";
import type { DesiredSecret } from "../../shared/render/render-secret.ts";
import type { RenderSource } from "../../shared/render/render-source.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";

export const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
export const VERSION = "11111111-1111-1111-1111-111111111111" as VersionId;

/** Stands for a secret in places where one must not be repeated. */
export const CANARY = "canary-7f3a9c1e";

export const aBinding = ({
  keys = { kind: "all" },
  ...overrides
}: Partial<Binding> & { keys?: KeyRule } = {}): Binding => ({
  sources: [{ id: "prod/db", names: ["prod/db"], keys }],
  target: { cluster: "main", namespace: "app", name: "db" },
  type: "Opaque",
  labels: {},
  annotations: {},
  adopt: false,
  deletionPolicy: "retain",
  fingerprint: "fingerprint-1",
  ...overrides,
});

export const withKeys = (keys: KeyRule): Binding => aBinding({ keys });

export const textSource = (text: string, overrides: Partial<RenderSource> = {}): RenderSource => ({
  arn: ARN,
  versionId: VERSION,
  value: SecretValue.fromText(text),
  ...overrides,
});

export const binarySource = (bytes: Uint8Array): RenderSource => ({
  ...textSource(""),
  value: new SecretValue(bytes),
});

/** The rendered data as text, for comparing. */
export const shownData = (desired: DesiredSecret): Record<string, string> =>
  Object.fromEntries(
    [...desired.data].map(([key, value]) => [key, Buffer.from(value.expose()).toString("utf8")]),
  );
