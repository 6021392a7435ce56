import fc from "fast-check";
import { expect } from "vitest";
import type { KeyRule } from "../../shared/bindings/binding.ts";
import type { BindingEntry, BindingsFile } from "../../shared/bindings/bindings-file.ts";

// Names that YAML or JavaScript would rather read as something else are put in on purpose.
const anyNamespace = fc.oneof(
  fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/),
  fc.constantFrom("1", "true", "null", "1e3"),
);
const anySecretName = fc.stringMatching(/^[a-z0-9]{1,5}(\.[a-z0-9]([-a-z0-9]{0,3}[a-z0-9])?)?$/);
const anyDataKey = fc.oneof(
  fc.stringMatching(/^[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,8}$/),
  fc.constantFrom("__proto__", "constructor", "toString", "1", ".dockerconfigjson", "---"),
);
const anySource = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9/_+=.@!-]{1,12}$/),
  fc.constantFrom("__proto__", "null", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"),
);
const anyLabels = fc.dictionary(
  fc.stringMatching(/^([a-z]{1,5}\.[a-z]{2}\/)?[A-Za-z0-9]([-._A-Za-z0-9]{0,6}[A-Za-z0-9])?$/),
  fc.stringMatching(/^([A-Za-z0-9]([-._A-Za-z0-9]{0,6}[A-Za-z0-9])?)?$/),
  { maxKeys: 3 },
);
const anyAnnotations = fc.dictionary(
  fc.stringMatching(/^[A-Za-z0-9]{1,6}$/),
  fc.string({ unit: "grapheme" }),
  { maxKeys: 3 },
);
const anyKeys = fc.oneof(
  fc.constant("all" as const),
  fc.uniqueArray(anyDataKey, { minLength: 1, maxLength: 4 }),
  fc
    .uniqueArray(fc.tuple(anyDataKey, fc.string({ minLength: 1 })), {
      minLength: 1,
      maxLength: 4,
      selector: ([key]) => key,
    })
    .map((entries) => Object.fromEntries(entries)),
);
const anyRules = {
  type: fc.constantFrom("Opaque", "example.com/config"),
  labels: anyLabels,
  annotations: anyAnnotations,
  adopt: fc.boolean(),
  deletionPolicy: fc.constantFrom("retain" as const, "delete" as const),
};

const cluster = { name: "prod-eks", region: "eu-west-1" };
const clusters = {
  prod: cluster,
  constructor: { ...cluster, region: "us-gov-west-1" },
  "1": { ...cluster, name: "one" },
};
const anyCluster = fc.constantFrom(...Object.keys(clusters));

const anyTarget = fc.record({ cluster: anyCluster, namespace: anyNamespace, name: anySecretName });

/** Valid files of every form, in which no target is used twice. */
export const anyBindingsFile: fc.Arbitrary<BindingsFile> = fc
  .record(
    {
      defaults: fc.record(
        { ...anyRules, cluster: anyCluster, namespace: anyNamespace },
        { requiredKeys: [] },
      ),
      bindings: fc.array(
        fc.record(
          {
            source: anySource,
            targets: fc.array(anyTarget, { minLength: 1, maxLength: 3 }),
            keys: anyKeys,
            value: anyDataKey,
            ...anyRules,
          },
          { requiredKeys: ["source", "targets"] },
        ),
        { maxLength: 5 },
      ),
    },
    { requiredKeys: ["bindings"] },
  )
  .map((file) => ({
    version: 1,
    clusters,
    ...file,
    bindings: withDistinctTargets(file.bindings).map(withOneKeyRule),
  }));

/** The expected result of a file, derived in the simplest way. */
export function expectedOf({ defaults = {}, bindings }: BindingsFile): unknown[] {
  return bindings.flatMap(({ source, targets, keys, value, ...own }) =>
    targets.map((target) => ({
      sources: [expect.objectContaining({ id: source, keys: expectedKeys(keys, value) })],
      target: { cluster: target.cluster, namespace: target.namespace, name: target.name },
      type: own.type ?? defaults.type ?? "Opaque",
      labels: { ...defaults.labels, ...own.labels },
      annotations: { ...defaults.annotations, ...own.annotations },
      adopt: own.adopt ?? defaults.adopt ?? false,
      deletionPolicy: own.deletionPolicy ?? defaults.deletionPolicy ?? "retain",
    })),
  );
}

function expectedKeys(keys: BindingEntry["keys"], value: string | undefined): KeyRule {
  if (value !== undefined) return { kind: "value", key: value };
  if (keys === undefined || keys === "all") return { kind: "all" };
  const pairs = Array.isArray(keys) ? keys.map((key) => [key, key]) : Object.entries(keys);
  return { kind: "selected", keys: Object.fromEntries(pairs) };
}

const withOneKeyRule = ({ keys, value, ...entry }: BindingEntry): BindingEntry => {
  if (value !== undefined) return { ...entry, value };
  return keys === undefined ? entry : { ...entry, keys };
};

function withDistinctTargets(bindings: readonly BindingEntry[]): BindingEntry[] {
  const used = new Set<string>();
  return bindings
    .map((binding) => ({
      ...binding,
      targets: binding.targets.filter(({ cluster, namespace, name }) => {
        const id = `${cluster} ${namespace} ${name}`;
        return !used.has(id) && used.add(id);
      }),
    }))
    .filter(({ targets }) => targets.length > 0);
}
