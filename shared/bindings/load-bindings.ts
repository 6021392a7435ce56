import { parseBoundReference } from "../source/parse-secret-reference.ts";
import { parseVersionId } from "../source/parse-version-id.ts";
import type {
  Binding,
  BoundSource,
  ClusterConfig,
  CompiledBindings,
  KeyRule,
  KeySource,
  NamedKeys,
  RestartRule,
  TargetRef,
} from "./binding.ts";
import schema from "./bindings.schema.json" with { type: "json" };
import { BindingsError } from "./bindings-error.ts";
import type {
  BindingEntry,
  BindingsFile,
  ClusterEntry,
  KeysEntry,
  RestartEntry,
  SourceEntry,
  TargetEntry,
} from "./bindings-file.ts";
import { checkRules } from "./check-rules.ts";
import { checkSchema } from "./check-schema.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { parseBindingsYaml } from "./parse-bindings-yaml.ts";
import { DEFAULT_RELAY_NAME } from "./relay-identity.ts";

/**
 * Validates and compiles a bindings file. Throws one BindingsError with all problems.
 *
 * It imports the YAML parser and the schema validator, so the functions load it only for a YAML file.
 */
export function loadBindings(text: string, fileName: string): CompiledBindings {
  const { value, problems } = parseBindingsYaml(text);
  // After a YAML syntax error the values are unreliable.
  if (problems.isEmpty) {
    checkSchema(value, problems);
    checkRules(value, problems);
  }
  if (!problems.isEmpty) throw new BindingsError(fileName, problems.sorted(), problems.truncated);
  return compile(value as BindingsFile);
}

const DEFAULTS = schema.$defs.binding.properties;

function compile(file: BindingsFile): CompiledBindings {
  // Object.fromEntries and spread, here and below: an assignment would lose a key named __proto__.
  const clusters = Object.fromEntries(
    Object.entries(file.clusters).map(([key, cluster]) => [key, clusterOf(cluster)]),
  );
  const bindings = file.bindings.flatMap((entry) => {
    const rules = rulesOf(entry, file.defaults);
    return entry.targets.map(
      (target): Binding => ({
        ...rules,
        target: targetOf(target, file),
        ...(entry.webhookId !== undefined && { webhookId: entry.webhookId }),
        ...readersOf(target),
      }),
    );
  });
  return { version: 1, relay: file.relay ?? DEFAULT_RELAY_NAME, clusters, bindings };
}

function clusterOf({ externalSecrets, ...cluster }: ClusterEntry): ClusterConfig {
  if (externalSecrets === undefined) return { ...cluster };
  const { deadlineSeconds } = schema.$defs.externalSecrets.properties;
  return { ...cluster, externalSecrets: { deadlineSeconds: deadlineSeconds.default, ...externalSecrets } };
}

function rulesOf(entry: BindingEntry, defaults: BindingsFile["defaults"] = {}): Omit<Binding, "target"> {
  const rules = {
    sources: sourcesOf(entry),
    ...(entry.sources !== undefined && entry.keys !== undefined && { namedKeys: namedKeysOf(entry.keys) }),
    ...(entry.collisions === "last" && { collisions: entry.collisions }),
    type: entry.type ?? defaults.type ?? DEFAULTS.type.default,
    labels: { ...defaults.labels, ...entry.labels },
    annotations: { ...defaults.annotations, ...entry.annotations },
    adopt: entry.adopt ?? defaults.adopt ?? DEFAULTS.adopt.default,
    deletionPolicy: entry.deletionPolicy ?? defaults.deletionPolicy ?? "retain",
    ...(entry.ownership === "keys" && { ownership: entry.ownership }),
    ...(entry.foreignKeys === "remove" && { foreignKeys: entry.foreignKeys }),
    ...(entry.immutable === true && { immutable: entry.onChange ?? "refuse" }),
  };
  return { ...rules, fingerprint: fingerprintOf(rules) };
}

function sourcesOf(entry: BindingEntry): Binding["sources"] {
  const [first, ...others] = (entry.sources ?? [entry as SourceEntry]).map(sourceOf);
  if (first === undefined) throw new TypeError("checkSchema refuses a binding without a source");
  return [first, ...others];
}

function sourceOf(entry: SourceEntry & { readonly name?: string }): BoundSource {
  const reference = parseBoundReference(entry.source);
  if (reference === undefined) throw new TypeError("checkRules refuses an invalid source");
  const versionId = parseVersionId(entry.versionId);
  return {
    ...reference,
    // An explicit AWSCURRENT equals the default.
    ...(entry.stage !== undefined && entry.stage !== "AWSCURRENT" && { stage: entry.stage }),
    ...(versionId !== undefined && { versionId }),
    ...(entry.name !== undefined && { name: entry.name }),
    keys: entry.name === undefined || hasOwnKeys(entry) ? keyRuleOf(entry) : { kind: "none" },
  };
}

const hasOwnKeys = ({ keys, value, extract }: SourceEntry): boolean =>
  keys !== undefined || value !== undefined || extract !== undefined;

function keyRuleOf({ keys, value, decode, extract }: SourceEntry): KeyRule {
  if (value !== undefined) return { kind: "value", key: value, ...(decode !== undefined && { decode }) };
  if (extract !== undefined) {
    const { include = ["*"], exclude = [], rename = [], ...more } = extract;
    return { kind: "extracted", ...more, include, exclude, rename };
  }
  if (keys === undefined || keys === "all") return { kind: "all" };
  const entries = isList(keys) ? keys.map((key): [string, string] => [key, key]) : Object.entries(keys);
  if (entries.every((entry): entry is [string, string] => typeof entry[1] === "string")) {
    return { kind: "selected", keys: Object.fromEntries(entries) };
  }
  return { kind: "composed", keys: namedKeysOf(keys) };
}

function namedKeysOf(keys: KeysEntry): NamedKeys {
  const entries = Object.entries(keys as Readonly<Record<string, string | KeySource>>);
  return Object.fromEntries(
    entries.map(([key, made]) => [key, typeof made === "string" ? { key: made } : made]),
  );
}

const isList = (keys: KeysEntry): keys is readonly string[] => Array.isArray(keys);

function targetOf(target: TargetEntry, { clusters, defaults }: BindingsFile): TargetRef {
  const cluster = target.cluster ?? defaults?.cluster ?? Object.keys(clusters)[0];
  const namespace = target.namespace ?? defaults?.namespace;
  if (cluster === undefined || namespace === undefined)
    throw new TypeError("checkRules refuses an incomplete target");
  return { cluster, namespace, name: target.name };
}

/** The follow-up actions. They do not change the Secret, so the fingerprint excludes them. */
function readersOf({
  restart,
  nudge,
  checkPods,
  events,
}: TargetEntry): Pick<Binding, "restart" | "nudge" | "checkPods" | "events"> {
  return {
    ...(restart !== undefined && { restart: restartRuleOf(restart) }),
    ...(nudge === true && { nudge }),
    ...(checkPods === true && { checkPods }),
    ...(events === true && { events }),
  };
}

function restartRuleOf(entry: RestartEntry): RestartRule {
  const rule = entry === "auto" || isWorkloadList(entry) ? { workloads: entry } : entry;
  return { delaySeconds: 0, order: "together", minimumIntervalSeconds: 0, ...rule };
}

const isWorkloadList = (entry: RestartEntry): entry is Exclude<RestartRule["workloads"], "auto"> =>
  Array.isArray(entry);
