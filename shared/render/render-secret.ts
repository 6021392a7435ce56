import type { Binding, BoundSource, TargetRef } from "../bindings/binding.ts";
import { nameOfSource } from "../bindings/name-of-sources.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { SecretValue } from "../source/secret-value.ts";
import { dataVersionOf } from "./data-version.ts";
import { RenderError } from "./errors.ts";
import { invalidKeys } from "./invalid-keys.ts";
import { isComposed } from "./is-composed.ts";
import { isDataKey } from "./is-data-key.ts";
import type { Renderers } from "./load-renderers.ts";
import { type Collision, type DataPart, mergeData } from "./merge-data.ts";
import { readJsonObject } from "./read-json-object.ts";
import { notAnObject, type RenderSource } from "./render-source.ts";
import { textOf } from "./why-no-object.ts";

/** The target according to its sources and its binding. */
export type DesiredSecret = {
  readonly target: TargetRef;
  /** See dataVersionOf. */
  readonly versionId: VersionId;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: ReadonlyMap<string, SecretValue>;
  readonly isImmutable?: true;
  /** The earliest expiry of its certificates, ms since the epoch; only for kubernetes.io/tls. */
  readonly certificateExpiresAt?: number;
  /** Keys that several sources set, if the binding lets the last one win; absent if there are none. */
  readonly collisions?: readonly Collision[];
};

/**
 * Pure: the same sources and binding give the same Secret. Throws a RenderError, which names keys but never values.
 * `reads` has one entry for each source, in the binding's order; `renderers` comes from loadRenderers.
 */
export function renderSecret(
  binding: Binding,
  reads: readonly RenderSource[],
  ownMetadata: RelayMetadata,
  renderers: Renderers = {},
): DesiredSecret {
  const parts = binding.sources.map((bound, index) => {
    const source = reads[index];
    if (source === undefined) throw new TypeError("Every source of a binding is read before it is rendered");
    const data = renderData(binding, bound, source, renderers);
    checkKeys(binding, bound, source, data);
    return { maker: nameOfSource(bound), source, data };
  });
  const { data: merged, collisions } = mergeData(binding, [
    ...parts,
    ...namedPart(binding, reads, renderers),
  ]);
  const versionIds = parts.map(({ source }) => source.versionId);
  const versionId = dataVersionOf(versionIds);
  const { mended, ...facts } = renderers.checkType?.(binding, merged) ?? { mended: NOTHING };
  const data = mended.size === 0 ? merged : new Map([...merged, ...mended]);
  checkKubernetesLimits(binding, data);
  const { annotations: names } = ownMetadata;
  return {
    target: binding.target,
    versionId,
    type: binding.type,
    labels: { ...binding.labels, [ownMetadata.managedLabel]: ownMetadata.identity },
    annotations: {
      ...binding.annotations,
      [names.versionId]: versionId,
      [names.source]: parts.map(({ source }) => source.arn).join(","),
      ...(versionIds.length > 1 && { [names.sourceVersions]: versionIds.join(" ") }),
      [names.bindingFingerprint]: binding.fingerprint,
      [names.keys]: [...data.keys()].sort().join(","),
      [names.deletionPolicy]: binding.deletionPolicy,
    },
    data,
    ...(binding.immutable !== undefined && { isImmutable: true }),
    ...facts,
    ...(collisions.length > 0 && { collisions }),
  };
}

function namedPart(
  binding: Binding,
  reads: readonly RenderSource[],
  { composeNamed }: Renderers,
): readonly DataPart[] {
  if (binding.namedKeys === undefined) return [];
  if (composeNamed === undefined) throw new TypeError("The binding's renderers were not loaded");
  const named = new Map<string, RenderSource>();
  for (const [index, { name }] of binding.sources.entries()) {
    const source = reads[index];
    if (name !== undefined && source !== undefined) named.set(name, source);
  }
  return [{ maker: "keys of the binding", data: composeNamed(binding, binding.namedKeys, named) }];
}

function renderData(
  binding: Binding,
  { keys }: BoundSource,
  source: RenderSource,
  { composeData }: Renderers,
): Map<string, SecretValue> {
  if (isComposed(keys)) {
    if (composeData === undefined) throw new TypeError("The binding's renderers were not loaded");
    return composeData(binding, keys, source);
  }
  if (keys.kind === "none") return new Map();
  if (keys.kind === "value") return new Map([[keys.key, source.value]]);
  const properties = readProperties(binding, source);
  if (keys.kind === "all") return properties;
  const data = new Map<string, SecretValue>();
  const missing: string[] = [];
  for (const [key, sourceKey] of Object.entries(keys.keys)) {
    const value = properties.get(sourceKey);
    if (value === undefined) missing.push(sourceKey);
    else data.set(key, value);
  }
  if (missing.length > 0) {
    throw new RenderError(
      "SOURCE_KEY_MISSING",
      `${source.arn} has no key ${missing.join(", ")}. Add it to the source, or correct keys in the binding.`,
    );
  }
  return data;
}

function readProperties(binding: Binding, source: RenderSource): Map<string, SecretValue> {
  const text = textOf(source.value.expose());
  const properties = text === undefined ? undefined : readJsonObject(text);
  if (properties === undefined) throw notAnObject(binding, source);
  return properties;
}

function checkKeys(
  binding: Binding,
  bound: BoundSource,
  source: RenderSource,
  data: ReadonlyMap<string, SecretValue>,
): void {
  for (const key of data.keys()) {
    if (isDataKey(key)) continue;
    const sourceKeys = readJsonObject(textOf(source.value.expose()) ?? "")?.keys() ?? [];
    throw invalidKeys(binding, bound, source, { sourceKeys: [...sourceKeys], dataKeys: data.keys() });
  }
}

function checkKubernetesLimits(binding: Binding, data: ReadonlyMap<string, SecretValue>): void {
  const target = `${binding.target.namespace}/${binding.target.name}`;
  if (data.size === 0) {
    throw new RenderError(
      "TARGET_EMPTY",
      `The source of ${target} has no keys, and the relay does not write empty Secrets. Add a key to the source.`,
    );
  }
  let bytes = 0;
  for (const value of data.values()) bytes += value.expose().byteLength;
  if (bytes > DATA_BYTES_MAX) {
    throw new RenderError(
      "TARGET_TOO_LARGE",
      // Without the size, which would reveal the length of a single value.
      `Secret ${target} would exceed the limit of ${DATA_BYTES_MAX} bytes. Shorten the value, or split its keys into several Secrets.`,
    );
  }
}

const NOTHING: ReadonlyMap<string, SecretValue> = new Map();

/** MaxSecretSize of the API server. */
const DATA_BYTES_MAX = 1024 * 1024;
