import type { Binding } from "../../shared/bindings/binding.ts";
import { fingerprintOf } from "../../shared/bindings/fingerprint.ts";
import { type LiveMetadata, type LiveSecret, parseLiveSecret } from "../../shared/cluster/live-secret.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { parseBoundReference } from "../../shared/source/parse-secret-reference.ts";
import type { SecretReference, VersionId } from "../../shared/source/secret-id.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { appliedSecret } from "../assess/factories.ts";
import { RELAY_METADATA, SELF } from "../harness/relay-metadata.ts";

export const FIRST = "version-1" as VersionId;
export const SECOND = "version-2" as VersionId;

export function sourceOf(id: string): SecretReference {
  const source = parseBoundReference(id);
  if (source === undefined) throw new TypeError(`${id} is not a source`);
  return source;
}

export function arnOf(name: string, home = SELF): string {
  return `arn:${home.partition}:secretsmanager:${home.region}:${home.accountId}:secret:${name}-AbCdEf`;
}

export function bindingOf(target: Partial<Binding["target"]> = {}, more: Partial<Binding> = {}): Binding {
  const rules = {
    sources: [{ ...sourceOf("prod/db"), keys: { kind: "all" } }],
    type: "Opaque",
    labels: { team: "shop" },
    annotations: {},
    adopt: false,
    deletionPolicy: "retain",
    ...more,
  } as const;
  return {
    ...rules,
    target: { cluster: "main", namespace: "app", name: "db", ...target },
    fingerprint: fingerprintOf(rules),
  };
}

/** The metadata of the target after an apply. */
export function liveOf(binding: Binding, overrides: Partial<LiveSecret> = {}): LiveMetadata {
  const sources = binding.sources.map(({ names: [name] }, index) => {
    const text = index === 0 ? '{"user":"app","password":"first"}' : `{"key-${index}":"first"}`;
    return { arn: arnOf(name), versionId: FIRST, value: SecretValue.fromText(text) };
  });
  const applied = appliedSecret(renderSecret(binding, sources, RELAY_METADATA));
  const {
    data: _data,
    immutable: _immutable,
    rawManagedFields: _raw,
    ...metadata
  } = parseLiveSecret(applied);
  return { ...metadata, ...overrides };
}

export const anyBudget = () => startTimeBudget(60_000);
