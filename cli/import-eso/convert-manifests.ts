import type { TargetEntry } from "../../shared/bindings/bindings-file.ts";
import { convertExternalSecret } from "./convert-external-secret.ts";
import { FieldReader, isFields, type Objection, objections } from "./fields.ts";
import { type Manifest, nameOfManifest } from "./manifest.ts";
import { namespacesOf } from "./namespaces.ts";
import type { NoteCode } from "./notes.ts";
import type { Rules } from "./parts.ts";
import { type Home, type Stores, storesOf } from "./stores.ts";
import { refusalsOf } from "./validate-entry.ts";

export type ImportOptions = {
  readonly cluster: { readonly key: string; readonly name: string; readonly region: string };
  readonly home: Home;
  /** Take a store that is not among the manifests for AWS Secrets Manager where the functions run. */
  readonly assumeStores: boolean;
  /** Where a manifest names no namespace. */
  readonly namespace: string;
};

/** One ExternalSecret or ClusterExternalSecret that became a binding. */
export type Converted = {
  readonly file: string;
  readonly resource: string;
  readonly entry: Rules & { readonly targets: readonly TargetEntry[] };
  readonly notes: readonly NoteCode[];
};

/** One that did not, with every reason. */
export type NotConverted = {
  readonly file: string;
  readonly resource: string;
  readonly objections: readonly Objection[];
};

export type Conversions = {
  readonly converted: readonly Converted[];
  readonly notConverted: readonly NotConverted[];
  /** ClusterExternalSecrets whose ExternalSecrets are among the manifests, and are converted one by one. */
  readonly covered: readonly string[];
};

/**
 * Every ExternalSecret and ClusterExternalSecret among the manifests, as a binding or with the reasons why not. Pure.
 *
 * One that can't be converted as a whole is not converted in part: the binding would take over the whole Secret and drop
 * the keys that it does not know.
 */
export function convertManifests(manifests: readonly Manifest[], options: ImportOptions): Conversions {
  const stores = storesOf(manifests, { home: options.home, assume: options.assumeStores });
  const ours = manifests.filter(({ apiVersion }) => apiVersion.startsWith("external-secrets.io/"));
  const parents = new Set(ours.flatMap(parentOf));
  const covered = ours.filter(({ kind, name }) => kind === "ClusterExternalSecret" && parents.has(name));
  const results = ours.flatMap((manifest) => {
    if (covered.includes(manifest)) return [];
    if (manifest.kind === "ExternalSecret") return [convertOne(manifest, stores, options)];
    return manifest.kind === "ClusterExternalSecret" ? [convertCluster(manifest, stores, options)] : [];
  });
  const { converted, twice } = withoutTwins(results.filter((result) => "entry" in result));
  return {
    converted,
    notConverted: [...results.filter((result) => "objections" in result), ...twice],
    covered: covered.map(({ name }) => name),
  };
}

function convertOne(manifest: Manifest, stores: Stores, options: ImportOptions): Converted | NotConverted {
  const namespace = manifest.namespace ?? options.namespace;
  const { labels, annotations } = metadataOf(manifest.object.metadata);
  return convert(manifest, manifest.object.spec, options, stores, {
    path: "spec",
    name: manifest.name,
    namespaces: [namespace],
    labels,
    annotations,
    notes: parentOf(manifest).length > 0 ? ["NAMESPACES_FIXED"] : [],
  });
}

function convertCluster(
  manifest: Manifest,
  stores: Stores,
  options: ImportOptions,
): Converted | NotConverted {
  const wrong = objections();
  const spec = new FieldReader(manifest.object.spec, "spec", wrong);
  const found = namespacesOf(spec, manifest.object.status);
  const metadata = spec.map("externalSecretMetadata");
  const name = spec.text("externalSecretName") ?? manifest.name;
  const inner = spec.raw("externalSecretSpec");
  spec.raw("refreshTime"); // how often it looks for new namespaces
  const labels = metadata.texts("labels");
  const annotations = metadata.texts("annotations");
  metadata.end();
  spec.end();
  return convert(manifest, inner, options, stores, {
    path: "spec.externalSecretSpec",
    name,
    namespaces: found.namespaces,
    labels,
    annotations,
    notes: found.areFixed ? ["NAMESPACES_FIXED"] : [],
    before: wrong.all,
  });
}

type Asked = {
  readonly path: string;
  readonly name: string;
  readonly namespaces: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly notes: readonly NoteCode[];
  readonly before?: readonly Objection[];
};

function convert(
  manifest: Manifest,
  spec: unknown,
  options: ImportOptions,
  stores: Stores,
  { path, name, namespaces, labels, annotations, notes, before = [] }: Asked,
): Converted | NotConverted {
  const { file } = manifest;
  const resource = nameOfManifest(manifest, options.namespace);
  const version = manifest.apiVersion.split("/")[1] ?? "";
  if (!VERSIONS.has(version)) {
    const reason = `${version} has other fields. Convert it to v1 first, as the operator's guide says`;
    return { file, resource, objections: [{ path: "apiVersion", code: "API_VERSION", reason }] };
  }
  const wrong = objections();
  for (const objection of before) wrong.add(objection.path, objection.code, objection.reason);
  const [namespace = options.namespace] = namespaces;
  const reader = new FieldReader(spec, path, wrong);
  const request = { spec: reader, name, namespace, labels, annotations };
  const { rules, secretName, notes: found } = convertExternalSecret(request, stores, wrong);
  const targets = namespaces.map((each) => ({ namespace: each, name: secretName }));
  const entry = { ...rules, targets };
  if (wrong.all.length === 0) {
    for (const reason of refusalsOf(entry, options.cluster)) wrong.add(path, "BINDINGS_REFUSE", reason);
  }
  return wrong.all.length > 0
    ? { file, resource, objections: wrong.all }
    : { file, resource, entry, notes: [...found, ...notes] };
}

/** v1beta1 differs from v1 in nothing that is read here. */
const VERSIONS: ReadonlySet<string> = new Set(["v1", "v1beta1"]);

function metadataOf(metadata: unknown): Pick<Asked, "labels" | "annotations"> {
  // What is no map of texts here, an API server would not have taken; nothing of it is on the Secret then.
  const reader = new FieldReader(metadata, "metadata", objections());
  return { labels: reader.texts("labels"), annotations: reader.texts("annotations") };
}

/** The ClusterExternalSecret that made it. */
function parentOf({ kind, object }: Manifest): string[] {
  const owners = isFields(object.metadata) ? object.metadata.ownerReferences : undefined;
  if (kind !== "ExternalSecret" || !Array.isArray(owners)) return [];
  return owners.flatMap((owner: unknown) =>
    isFields(owner) && owner.kind === "ClusterExternalSecret" && typeof owner.name === "string"
      ? [owner.name]
      : [],
  );
}

/** Two ExternalSecrets that write one Secret: the operator merges them, or lets them fight; a binding has one Secret. */
function withoutTwins(results: readonly Converted[]): { converted: Converted[]; twice: NotConverted[] } {
  const writers = new Map<string, Converted[]>();
  for (const result of results) {
    for (const { namespace, name } of result.entry.targets) {
      const key = `${namespace}/${name}`;
      writers.set(key, [...(writers.get(key) ?? []), result]);
    }
  }
  const shared = new Map<Converted, string>();
  for (const [key, found] of writers) {
    if (found.length > 1) for (const result of found) shared.set(result, key);
  }
  return {
    converted: results.filter((result) => !shared.has(result)),
    twice: [...shared].map(([{ file, resource }, key]) => ({
      file,
      resource,
      objections: [
        {
          path: "spec.target.name",
          code: "TARGET_TWICE",
          reason: `another one writes Secret ${key} too. Put what both write into one binding by hand, with sources`,
        },
      ],
    })),
  };
}
