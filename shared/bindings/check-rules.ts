import { parseBoundReference } from "../source/parse-secret-reference.ts";
import { certificateAuthorityProblem } from "./certificate-authority.ts";
import { checkExpression } from "./expressions/jmespath.ts";
import { checkTemplate, unknownVariables } from "./expressions/liquid.ts";
import type { Path, ProblemList } from "./problem-list.ts";
import { quoteName } from "./quote-name.ts";
import { isRelayKey } from "./relay-identity.ts";
import { suggestName } from "./suggest-name.ts";

/**
 * Checks rules that a schema cannot express: references, uniqueness, total sizes, and reserved names. It also runs on
 * files that fail the schema, so that one run reports every problem, and skips the parts that checkSchema reported.
 */
export function checkRules(file: unknown, problems: ProblemList): void {
  const top = mapOf(file);
  const clusters = clustersOf(top.clusters);
  const defaults = mapOf(top.defaults);
  for (const [key, cluster] of clusters) checkCluster(cluster, ["clusters", key], problems);
  checkDefaults(defaults, clusters, problems);

  const context: Context = { clusters, defaults, problems, pathOfTarget: new Map(), targets: 0 };
  for (const [index, entry] of listOf(top.bindings).entries()) {
    if (problems.full) return;
    checkBinding(mapOf(entry), ["bindings", index], context);
  }
  if (context.targets > TARGETS_MAX) {
    problems.add({ path: ["bindings"], part: "key" }, TOO_MANY_TARGETS, "Split them into several stacks");
  }
}

// The functions keep every binding in memory; 100,000 take about 100 MB.
const TARGETS_MAX = 100_000;
const TOO_MANY_TARGETS = "All bindings together have more than 100,000 targets";

type Context = {
  readonly clusters: Clusters;
  readonly defaults: AnyMap;
  readonly problems: ProblemList;
  /** Real cluster, namespace and name of each Secret -> its first path in the file. */
  readonly pathOfTarget: Map<string, Path>;
  targets: number;
};

type AnyMap = Readonly<Record<string, unknown>>;
type Clusters = ReadonlyMap<string, AnyMap>;

const NO_ENTRIES: AnyMap = Object.freeze(Object.create(null));

const mapOf = (value: unknown): AnyMap =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as AnyMap) : NO_ENTRIES;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const clustersOf = (value: unknown): Clusters =>
  new Map(Object.entries(mapOf(value)).map(([key, cluster]) => [key, mapOf(cluster)]));

function checkCluster(cluster: AnyMap, path: Path, problems: ProblemList): void {
  const authority = textOf(cluster.certificateAuthorityData);
  const advice =
    authority === undefined || authority === "" ? undefined : certificateAuthorityProblem(authority);
  if (advice !== undefined)
    problems.add({ path: [...path, "certificateAuthorityData"] }, advice.message, advice.fix);

  const endpoint = textOf(cluster.endpoint);
  if (endpoint?.startsWith("https://") && !URL.canParse(endpoint)) {
    problems.add(
      { path: [...path, "endpoint"] },
      "The endpoint is not a URL",
      "Copy it from `aws eks describe-cluster`",
    );
  }
  checkNamespacesOnce(mapOf(cluster.externalSecrets), [...path, "externalSecrets"], problems);
}

function checkNamespacesOnce({ namespaces }: AnyMap, path: Path, problems: ProblemList): void {
  const seen = new Set<unknown>();
  for (const [index, namespace] of listOf(namespaces).entries()) {
    if (typeof namespace === "string" && seen.has(namespace)) {
      problems.add(
        { path: [...path, "namespaces", index] },
        `The list has the namespace ${quoteName(namespace)} twice`,
        "Remove one of the two",
      );
    }
    seen.add(namespace);
  }
}

function checkDefaults(defaults: AnyMap, clusters: Clusters, problems: ProblemList): void {
  checkClusterIsDefined(defaults, ["defaults"], clusters, problems);
  const namespace = textOf(defaults.namespace);
  if (namespace !== undefined && SYSTEM_NAMESPACES.has(namespace)) {
    problems.add(
      { path: ["defaults", "namespace"] },
      `The namespace ${namespace} belongs to Kubernetes itself and cannot be the default`,
      "Set it at each target that needs it, with allowSystemNamespace: true",
    );
  }
  checkCommonRules(defaults, ["defaults"], problems);
}

const SYSTEM_NAMESPACES = new Set(["kube-system", "kube-public", "kube-node-lease"]);

function checkBinding(binding: AnyMap, path: Path, context: Context): void {
  const { defaults, problems } = context;
  checkCommonRules(binding, path, problems);
  for (const [entry, at] of sourceEntriesOf(binding, path)) checkSource(entry, at, problems);
  checkSources(binding, path, problems);
  checkNames(binding, path, problems);
  checkRequiredKeys(binding, path, context);
  checkOwnership(binding, path, context);
  checkSizes(binding, path, defaults, problems);
  for (const [index, entry] of listOf(binding.targets).entries()) {
    context.targets += 1;
    checkTarget(mapOf(entry), [...path, "targets", index], context);
  }
}

/** The rules that defaults and bindings share. */
function checkCommonRules(rules: AnyMap, path: Path, problems: ProblemList): void {
  const refused = REFUSED_TYPES.get(textOf(rules.type) ?? "");
  if (refused !== undefined) problems.add({ path: [...path, "type"] }, ...refused);
  for (const kind of ["labels", "annotations"] as const) {
    for (const key of Object.keys(mapOf(rules[kind]))) {
      if (!isRelayKey(key)) continue;
      problems.add(
        { path: [...path, kind, key], part: "key" },
        "The prefix secret-relay/ is reserved for relays",
        "Use another prefix or no prefix",
      );
    }
  }
}

const REFUSED_TYPES = new Map<string, readonly [message: string, fix: string]>([
  [
    "kubernetes.io/service-account-token",
    [
      "Kubernetes itself writes a working token into Secrets of the type kubernetes.io/service-account-token",
      "Use another type; Opaque fits any content",
    ],
  ],
  [
    "bootstrap.kubernetes.io/token",
    [
      "A Secret of the type bootstrap.kubernetes.io/token lets new nodes join the cluster",
      "Use another type; Opaque fits any content",
    ],
  ],
]);

/** The keys that the API server requires for each type: at least one of every group. */
const REQUIRED_KEYS = new Map<string, readonly (readonly string[])[]>([
  ["kubernetes.io/tls", [["tls.crt"], ["tls.key"]]],
  ["kubernetes.io/dockerconfigjson", [[".dockerconfigjson"]]],
  ["kubernetes.io/dockercfg", [[".dockercfg"]]],
  ["kubernetes.io/ssh-auth", [["ssh-privatekey"]]],
  ["kubernetes.io/basic-auth", [["username", "password"]]],
]);

/** The binding itself if it has one source, otherwise each entry of `sources`. */
function sourceEntriesOf(binding: AnyMap, path: Path): readonly (readonly [AnyMap, Path])[] {
  if (binding.sources === undefined) return [[binding, path]];
  return listOf(binding.sources).map((entry, index) => [mapOf(entry), [...path, "sources", index]] as const);
}

function checkSource(entry: AnyMap, path: Path, problems: ProblemList): void {
  const source = textOf(entry.source);
  if (source !== undefined && source !== "" && parseBoundReference(source) === undefined) {
    problems.add(
      { path: [...path, "source"] },
      "The source is neither the name nor the ARN of a secret",
      "Copy the name or the ARN from Secrets Manager; a name has at most 512 letters, digits and /_+=.@-!",
    );
  }
  if (entry.stage === "AWSPENDING") {
    problems.add(
      { path: [...path, "stage"] },
      "A version under AWSPENDING is not in use yet, and may never be",
      "Use AWSCURRENT, which the rotation moves to the new version when it completes",
    );
  }
  if (entry.stage !== undefined && entry.versionId !== undefined) {
    problems.add(
      { path: [...path, "versionId"], part: "key" },
      "A source cannot have both stage and versionId",
      "Keep stage to follow the label, or versionId to pin the version",
    );
  }
  checkListedKeys(entry, path, problems);
  checkKeySources(entry, path, problems);
  checkExtract(entry, path, problems);
}

function checkSources(binding: AnyMap, path: Path, problems: ProblemList): void {
  if (binding.sources === undefined) {
    if (binding.collisions === undefined) return;
    problems.add(
      { path: [...path, "collisions"], part: "key" },
      "collisions has no effect on a binding with one source",
      "Remove collisions, or list several sources under sources",
    );
    return;
  }
  for (const setting of ["source", ...SETTINGS_OF_A_SOURCE]) {
    if (binding[setting] === undefined) continue;
    problems.add(
      { path: [...path, setting], part: "key" },
      `A binding with sources cannot have ${setting} itself`,
      setting === "source" ? "Make it an entry of sources" : `Move ${setting} into the entries of sources`,
    );
  }
  if (binding.collisions === "last") return;
  const pathOfKey = new Map<string, Path>();
  const makers: (readonly [AnyMap, Path])[] = [...sourceEntriesOf(binding, path)];
  if (binding.keys !== undefined) makers.push([{ keys: binding.keys }, [...path, "keys"]]);
  for (const [entry, at] of makers) {
    for (const key of selectedKeys(entry) ?? []) {
      const first = pathOfKey.get(key);
      if (first === undefined) pathOfKey.set(key, at);
      else {
        problems.add(
          { path: at },
          `This ${at.at(-1) === "keys" ? "map" : "source"} and the source at ${problems.where({ path: first })} both set the key ${quoteName(key)}`,
          "Rename or remove one of the two, or set collisions: last so that the last source wins",
        );
      }
    }
  }
}

const SETTINGS_OF_A_SOURCE = ["stage", "versionId", "value", "decode", "extract"];

/** The names of sources, and the keys of a binding that use them. */
function checkNames(binding: AnyMap, path: Path, problems: ProblemList): void {
  if (binding.sources === undefined) return;
  const pathOfName = new Map<string, Path>();
  for (const [{ name }, at] of sourceEntriesOf(binding, path)) {
    if (typeof name !== "string") continue;
    const first = pathOfName.get(name);
    if (first !== undefined) {
      problems.add(
        { path: [...at, "name"] },
        `The source at ${problems.where({ path: first })} has the same name`,
        "Give each source a name of its own",
      );
    } else if (LIQUID_WORDS.has(name)) {
      problems.add(
        { path: [...at, "name"] },
        `The name ${name} has a meaning of its own in templates`,
        "Use another name",
      );
    } else if (binding.keys === undefined) {
      problems.add(
        { path: [...at, "name"], part: "key" },
        "A name has no effect, because the binding has no keys next to sources",
        "Add keys next to sources, or remove name",
      );
    }
    pathOfName.set(name, at);
  }
  if (binding.keys === undefined) return;
  const keysPath = [...path, "keys"];
  if (mapOf(binding.keys) !== binding.keys) {
    problems.add(
      { path: keysPath },
      "Next to sources, keys is a map from keys of the Secret to names or templates of several sources",
      "Write such a map, or move keys into the entries of sources",
    );
    return;
  }
  checkKeySources(binding, path, problems);
  const names = new Set(pathOfName.keys());
  for (const [key, made] of Object.entries(mapOf(binding.keys))) {
    for (const { message, fix, at } of unknownNames(made, names)) {
      problems.add({ path: [...keysPath, key, ...at] }, message, fix);
    }
  }
}

const LIQUID_WORDS: ReadonlySet<string> = new Set(
  "and blank contains empty false forloop in nil not null or true".split(" "),
);

type NameProblem = { readonly message: string; readonly fix: string; readonly at: Path };

function unknownNames(made: unknown, names: ReadonlySet<string>): readonly NameProblem[] {
  const known =
    names.size === 0 ? "no source has a name" : `the names are ${[...names].map(quoteName).join(", ")}`;
  const problemAt = (name: string, where: string, at: Path): NameProblem => {
    const suggestion = suggestName(name, names);
    return {
      message: `No source of this binding has the name ${quoteName(name)}${where}; ${known}`,
      fix: suggestion === undefined ? "Set name at a source" : `Did you mean ${suggestion}?`,
      at,
    };
  };
  const { key, jmespath, template } = mapOf(made);
  if (jmespath !== undefined) {
    return [
      {
        message: "JMESPath reads one source, but these keys are made of several",
        fix: "Move the key into the entry of its source, or use a template",
        at: ["jmespath"],
      },
    ];
  }
  const name = textOf(made) ?? textOf(key);
  if (name !== undefined) {
    return names.has(name) ? [] : [problemAt(name, "", typeof made === "string" ? [] : ["key"])];
  }
  if (typeof template !== "string" || template === "" || checkTemplate(template) !== undefined) return [];
  return unknownVariables(template, names).map((variable) =>
    problemAt(variable.name, whereIn(variable), ["template"]),
  );
}

function checkListedKeys(binding: AnyMap, path: Path, problems: ProblemList): void {
  const listed = listOf(binding.keys);
  const firstIndexes = new Map<unknown, number>();
  for (const [index, key] of listed.entries()) {
    const first = firstIndexes.get(key);
    if (first === undefined) firstIndexes.set(key, index);
    else if (typeof key === "string") {
      const where = problems.where({ path: [...path, "keys", first] });
      problems.add(
        { path: [...path, "keys", index] },
        `The list already has ${quoteName(key)} at ${where}`,
        "Remove one of the two",
      );
    }
  }
}

function checkRequiredKeys(binding: AnyMap, path: Path, { defaults, problems }: Context): void {
  const selected = mergedKeys(binding, path);
  const type = textOf(binding.type) ?? textOf(defaults.type) ?? "";
  if (selected === undefined) return;
  for (const group of REQUIRED_KEYS.get(type) ?? []) {
    if (group.some((key) => selected.has(key))) continue;
    const setting = ["keys", "sources"].find((each) => binding[each] !== undefined) ?? "value";
    problems.add(
      { path: [...path, setting], part: "key" },
      `A Secret of the type ${type} needs the key ${group.join(" or ")}, but this binding does not set it`,
      `Add ${group[0]} to keys, as a map if the source uses another name, or use the type Opaque`,
    );
  }
}

/** The entries of the map `keys` that are not plain names. */
function checkKeySources(binding: AnyMap, path: Path, problems: ProblemList): void {
  for (const [key, made] of Object.entries(mapOf(binding.keys))) {
    const keyPath = [...path, "keys", key];
    const entries = mapOf(made);
    const ways = WAYS.filter((way) => entries[way] !== undefined);
    if (typeof made === "object" && made !== null && !Array.isArray(made) && ways.length !== 1) {
      problems.add(
        { path: keyPath },
        ways.length === 0
          ? `A key needs one of ${WAYS.join(", ")}`
          : `A key cannot have ${ways.join(" and ")} together`,
        `Keep exactly one of ${WAYS.join(", ")}`,
      );
    }
    checkJmespath(entries, keyPath, problems);
    const template = textOf(entries.template);
    const flaw = template === undefined || template === "" ? undefined : checkTemplate(template);
    if (flaw !== undefined) {
      problems.add(
        { path: [...keyPath, "template"] },
        `${flaw.message}${whereIn(flaw)}`,
        "Correct the template; docs/bindings.md lists the tags and filters",
      );
    }
  }
}

function checkJmespath({ jmespath }: AnyMap, path: Path, problems: ProblemList): void {
  if (typeof jmespath !== "string" || jmespath === "") return;
  const fault = checkExpression(jmespath);
  if (fault === undefined) return;
  problems.add({ path: [...path, "jmespath"] }, fault, "Correct the expression; see https://jmespath.org");
}

function whereIn({ line, column }: { line?: number; column?: number }): string {
  if (line === undefined) return "";
  if (column !== undefined) return `, at line ${line}, column ${column} of the template`;
  return line === 1 ? "" : `, in line ${line} of the template`;
}

const WAYS = ["key", "jmespath", "template"] as const;

function checkExtract(binding: AnyMap, path: Path, problems: ProblemList): void {
  if (binding.extract === undefined) return;
  const other = ["keys", "value"].find((setting) => binding[setting] !== undefined);
  if (other !== undefined) {
    problems.add(
      { path: [...path, "extract"], part: "key" },
      `A binding cannot have extract and ${other} together`,
      `Remove extract or ${other}`,
    );
  }
  checkJmespath(mapOf(binding.extract), [...path, "extract"], problems);
  for (const [index, entry] of listOf(mapOf(binding.extract).rename).entries()) {
    const { pattern, to } = mapOf(entry);
    if (typeof pattern !== "string" || typeof to !== "string") continue;
    if (starsIn(to) <= starsIn(pattern)) continue;
    problems.add(
      { path: [...path, "extract", "rename", index, "to"] },
      "The new name has more stars than the pattern",
      "Each star of the new name stands for a star of the pattern; remove the extra stars",
    );
  }
}

const starsIn = (pattern: string): number => pattern.split("*").length - 1;

function checkOwnership(binding: AnyMap, path: Path, { defaults, problems }: Context): void {
  const { immutable, onChange, ownership } = binding;
  if (immutable === true && onChange === undefined) {
    problems.add(
      { path: [...path, "immutable"], part: "key" },
      "An immutable Secret cannot follow its source, so the binding needs onChange",
      "Add onChange: refuse to keep the Secret and raise an alarm, or onChange: replace to delete and recreate it",
    );
  }
  if (immutable !== true && onChange !== undefined) {
    problems.add(
      { path: [...path, "onChange"], part: "key" },
      "onChange needs immutable: true",
      "Add immutable: true, or remove onChange",
    );
  }
  if (ownership !== "keys") return;
  if ((binding.deletionPolicy ?? defaults.deletionPolicy) === "delete") {
    problems.add(
      { path: [...path, "ownership"] },
      "deletionPolicy: delete would also delete the keys of other owners",
      "Use deletionPolicy: retain here, or ownership: secret",
    );
  }
  if (binding.foreignKeys === "remove") {
    problems.add(
      { path: [...path, "foreignKeys"] },
      "With ownership: keys the foreign keys belong to other owners",
      "Remove foreignKeys, or use ownership: secret",
    );
  }
  if (immutable === true) {
    problems.add(
      { path: [...path, "ownership"] },
      "An immutable Secret cannot be shared, because other owners could not change their keys",
      "Remove immutable, or use ownership: secret",
    );
  }
}

/** The keys of the Secret if they are known without the source. */
function mergedKeys(binding: AnyMap, path: Path): ReadonlySet<string> | undefined {
  const merged = new Set<string>();
  for (const [entry] of sourceEntriesOf(binding, path)) {
    const keys = selectedKeys(entry);
    if (keys === undefined) return undefined;
    for (const key of keys) merged.add(key);
  }
  if (binding.sources !== undefined) for (const key of selectedKeys(binding) ?? []) merged.add(key);
  return merged;
}

/** The keys of one source if they are known without its value. */
function selectedKeys(binding: AnyMap): ReadonlySet<string> | undefined {
  const { extract, keys, name, value } = binding;
  if (keys !== undefined && value !== undefined) return undefined;
  if (Array.isArray(keys)) return new Set(keys.filter((key) => typeof key === "string"));
  if (typeof keys === "object" && keys !== null) return new Set(Object.keys(keys));
  if (typeof value === "string") return new Set([value]);
  return name !== undefined && keys === undefined && extract === undefined ? new Set() : undefined;
}

// The API server's limit is 256 KiB for keys and values, including the relay's own annotations.
const ANNOTATION_BYTES_MAX = 256 * 1024 - 4 * 1024;
// The API server's limit for the data of a Secret is 1 MiB. The values are checked after they are read.
const FIXED_BYTES_MAX = 1024 * 1024;

function checkSizes(binding: AnyMap, path: Path, defaults: AnyMap, problems: ProblemList): void {
  const annotationBytes = bytesOfMerged(defaults.annotations, binding.annotations);
  if (annotationBytes > ANNOTATION_BYTES_MAX) {
    problems.add(
      binding.annotations === undefined ? { path } : { path: [...path, "annotations"], part: "key" },
      "The annotations of this Secret, defaults included, are over 252 KiB",
      "Shorten them; Kubernetes allows 256 KiB, and 4 KiB are reserved for the relay's own annotations",
    );
  }
  let bytes = annotationBytes + bytesOfMerged(defaults.labels, binding.labels);
  for (const [entry] of sourceEntriesOf(binding, path)) {
    for (const key of selectedKeys(entry) ?? []) bytes += key.length;
  }
  if (binding.sources !== undefined) for (const key of selectedKeys(binding) ?? []) bytes += key.length;
  if (bytes > FIXED_BYTES_MAX) {
    problems.add(
      { path },
      "This Secret is over 1 MiB even without values",
      "Shorten labels, annotations and keys",
    );
  }
}

function bytesOfMerged(defaults: unknown, own: unknown): number {
  let bytes = 0;
  for (const [key, value] of Object.entries({ ...mapOf(defaults), ...mapOf(own) })) {
    bytes += Buffer.byteLength(key) + (typeof value === "string" ? Buffer.byteLength(value) : 0);
  }
  return bytes;
}

function checkRestart(restart: unknown, path: Path, problems: ProblemList): void {
  const isShort = Array.isArray(restart);
  const seen = new Set<string>();
  for (const [index, entry] of listOf(isShort ? restart : mapOf(restart).workloads).entries()) {
    const kind = textOf(mapOf(entry).kind);
    const name = textOf(mapOf(entry).name);
    if (kind === undefined || name === undefined) continue;
    if (seen.has(`${kind}/${name}`)) {
      problems.add(
        { path: [...path, ...(isShort ? [] : ["workloads"]), index] },
        `The list has the ${quoteName(kind)} ${quoteName(name)} twice`,
        "Remove one of the two",
      );
    }
    seen.add(`${kind}/${name}`);
  }
}

function checkTarget(target: AnyMap, path: Path, context: Context): void {
  const { clusters, defaults, problems } = context;
  checkClusterIsDefined(target, path, clusters, problems);
  const namespace = target.namespace ?? defaults.namespace;
  const cluster = target.cluster ?? defaults.cluster ?? onlyKeyOf(clusters);
  const name = target.name;
  if (namespace === undefined) {
    problems.add({ path }, "This target has no namespace", "Add namespace here or to defaults");
  }
  if (cluster === undefined && clusters.size > 0) {
    problems.add(
      { path },
      "The file has several clusters, but this target has no cluster",
      "Add cluster here or to defaults",
    );
  }
  const ownNamespace = textOf(target.namespace) ?? "";
  if (SYSTEM_NAMESPACES.has(ownNamespace) && target.allowSystemNamespace !== true) {
    problems.add(
      { path: [...path, "namespace"] },
      `The namespace ${ownNamespace} belongs to Kubernetes itself`,
      "Use another namespace, or add allowSystemNamespace: true to this target if it is intended",
    );
  }
  checkRestart(target.restart, [...path, "restart"], problems);
  if (typeof cluster !== "string" || typeof namespace !== "string" || typeof name !== "string") return;

  const identity = JSON.stringify([clusterIdentity(cluster, clusters), namespace, name]);
  const first = context.pathOfTarget.get(identity);
  if (first === undefined) {
    context.pathOfTarget.set(identity, path);
    return;
  }
  problems.add(
    { path },
    `The Secret ${quoteName(name)} in the namespace ${quoteName(namespace)} of the same cluster is already a target at ${problems.where({ path: first })}`,
    "Keep one of the two; to combine several sources, list them under sources",
  );
}

/** Two entries of clusters may be the same cluster. */
function clusterIdentity(key: string, clusters: Clusters): string {
  const cluster = clusters.get(key);
  if (cluster?.name === undefined || cluster.region === undefined) return key;
  const account = textOf(cluster.roleArn)?.split(":")[4];
  return JSON.stringify([account, cluster.region, cluster.name, cluster.endpoint]);
}

function checkClusterIsDefined(entry: AnyMap, path: Path, clusters: Clusters, problems: ProblemList): void {
  const name = textOf(entry.cluster);
  if (name === undefined || clusters.has(name)) return;
  const suggestion = suggestName(name, clusters.keys());
  problems.add(
    { path: [...path, "cluster"] },
    `clusters has no entry ${quoteName(name)}`,
    suggestion === undefined
      ? "Add it to clusters, or use an existing entry"
      : `Did you mean ${suggestion}? Otherwise add it to clusters`,
  );
}

const onlyKeyOf = (clusters: Clusters): string | undefined =>
  clusters.size === 1 ? clusters.keys().next().value : undefined;
