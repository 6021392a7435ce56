import type { TargetEntry } from "../../shared/bindings/bindings-file.ts";
import { convertExternalSecret } from "./convert-external-secret.ts";
import { collectObjections, FieldReader, isFields, type Objection } from "./fields.ts";
import type { FindAnswers } from "./find-query.ts";
import { findHelmTemplate } from "./helm-template.ts";
import { type Manifest, nameOfManifest } from "./manifest.ts";
import { namespacesOf } from "./namespaces.ts";
import type { NoteCode } from "./notes.ts";
import type { Rules } from "./parts.ts";
import { type SourceLocation, type Stores, storesOf } from "./stores.ts";
import { refusalsOf } from "./validate-entry.ts";

export type ImportOptions = {
  readonly cluster: { readonly key: string; readonly name: string; readonly region: string };
  readonly location: SourceLocation;
  /** Treat a missing store as AWS Secrets Manager in the account and Region of the functions. */
  readonly assumeStores: boolean;
  /** The namespace of a manifest without one. */
  readonly namespace: string;
  /** What AWS lists for each `find`; absent: a `find` is refused. */
  readonly found?: FindAnswers;
};

/** One ExternalSecret or ClusterExternalSecret, as a binding. */
export type Converted = {
  readonly file: string;
  readonly resource: string;
  readonly entry: Rules & { readonly targets: readonly TargetEntry[] };
  readonly notes: readonly NoteCode[];
};

export type NotConverted = {
  readonly file: string;
  readonly resource: string;
  readonly objections: readonly Objection[];
};

export type Conversions = {
  readonly converted: readonly Converted[];
  readonly notConverted: readonly NotConverted[];
  /** ClusterExternalSecrets whose ExternalSecrets are among the manifests, and are converted instead. */
  readonly covered: readonly string[];
};

/**
 * Converts every ExternalSecret and ClusterExternalSecret to a binding, or lists the reasons why not. Pure.
 *
 * Nothing is converted in part: the binding would take over the whole Secret and drop the keys that it does not have.
 */
export function convertManifests(manifests: readonly Manifest[], options: ImportOptions): Conversions {
  const stores = storesOf(manifests, { location: options.location, assume: options.assumeStores });
  const ours = manifests.filter(({ apiVersion }) => apiVersion.startsWith("external-secrets.io/"));
  const parents = new Set(ours.flatMap(parentOf));
  const covered = ours.filter(({ kind, name }) => kind === "ClusterExternalSecret" && parents.has(name));
  const results = ours.flatMap((manifest) => {
    if (covered.includes(manifest)) return [];
    if (manifest.kind === "ExternalSecret") return [convertOne(manifest, stores, options)];
    return manifest.kind === "ClusterExternalSecret" ? [convertCluster(manifest, stores, options)] : [];
  });
  const { converted, conflicting } = splitConflicts(results.filter((result) => "entry" in result));
  return {
    converted,
    notConverted: [...results.filter((result) => "objections" in result), ...conflicting],
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
  const found = collectObjections();
  const spec = new FieldReader(manifest.object.spec, "spec", found);
  const { namespaces, areFixed } = namespacesOf(spec, manifest.object.status);
  const metadata = spec.map("externalSecretMetadata");
  const name = spec.string("externalSecretName") ?? manifest.name;
  const inner = spec.raw("externalSecretSpec");
  spec.raw("refreshTime"); // the interval of its search for new namespaces
  const labels = metadata.stringMap("labels");
  const annotations = metadata.stringMap("annotations");
  metadata.end();
  spec.end();
  return convert(manifest, inner, options, stores, {
    path: "spec.externalSecretSpec",
    name,
    namespaces,
    labels,
    annotations,
    notes: areFixed ? ["NAMESPACES_FIXED"] : [],
    earlier: found.all,
  });
}

type ConversionRequest = {
  readonly path: string;
  readonly name: string;
  readonly namespaces: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly notes: readonly NoteCode[];
  readonly earlier?: readonly Objection[];
};

function convert(
  manifest: Manifest,
  spec: unknown,
  options: ImportOptions,
  stores: Stores,
  { path, name, namespaces, labels, annotations, notes, earlier = [] }: ConversionRequest,
): Converted | NotConverted {
  const { file } = manifest;
  const resource = nameOfManifest(manifest, options.namespace);
  const version = manifest.apiVersion.split("/")[1] ?? "";
  if (!VERSIONS.has(version)) {
    const reason = `${version} has different fields. Convert it to v1 first, with the guide of External Secrets Operator`;
    return { file, resource, objections: [{ path: "apiVersion", code: "API_VERSION", reason }] };
  }
  if (manifest.name === "") {
    const reason = "the name is missing. Add it";
    return { file, resource, objections: [{ path: "metadata.name", code: "FIELD_MALFORMED", reason }] };
  }
  const helm = findHelmTemplate(spec, path) ?? findHelmTemplate({ labels, annotations }, "metadata");
  if (helm !== undefined) {
    const reason = "this is a template of a Helm chart. Render the chart first: helm template";
    return { file, resource, objections: [{ path: helm, code: "HELM_TEMPLATE", reason }] };
  }
  const found = collectObjections(earlier);
  const [namespace = options.namespace] = namespaces;
  const reader = new FieldReader(spec, path, found);
  const request = { spec: reader, name, namespace, labels, annotations };
  const {
    rules,
    secretName,
    notes: ownNotes,
  } = convertExternalSecret(request, { stores, found: options.found }, found);
  const targets = namespaces.map((each) => ({ namespace: each, name: secretName }));
  const entry = { ...rules, targets };
  if (found.all.length === 0) {
    for (const reason of refusalsOf(entry, options.cluster)) found.add(path, "BINDINGS_REFUSE", reason);
  }
  return found.all.length > 0
    ? { file, resource, objections: found.all }
    : { file, resource, entry, notes: [...ownNotes, ...notes] };
}

/** In the fields that are read here, v1beta1 and v1 are the same. */
const VERSIONS: ReadonlySet<string> = new Set(["v1", "v1beta1"]);

function metadataOf(metadata: unknown): Pick<ConversionRequest, "labels" | "annotations"> {
  // An API server refuses metadata of the wrong type, so those objections are dropped.
  const reader = new FieldReader(metadata, "metadata", collectObjections());
  return { labels: reader.stringMap("labels"), annotations: reader.stringMap("annotations") };
}

/** The name of the ClusterExternalSecret that owns it. */
function parentOf({ kind, object }: Manifest): string[] {
  const owners = isFields(object.metadata) ? object.metadata.ownerReferences : undefined;
  if (kind !== "ExternalSecret" || !Array.isArray(owners)) return [];
  return owners.flatMap((owner: unknown) =>
    isFields(owner) && owner.kind === "ClusterExternalSecret" && typeof owner.name === "string"
      ? [owner.name]
      : [],
  );
}

/** If two ExternalSecrets write one Secret, the operator merges them or they overwrite each other. Bindings allow one writer. */
function splitConflicts(results: readonly Converted[]): {
  converted: Converted[];
  conflicting: NotConverted[];
} {
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
    conflicting: [...shared].map(([{ file, resource }, key]) => ({
      file,
      resource,
      objections: [
        {
          path: "spec.target.name",
          code: "TARGET_TWICE",
          reason: `another ExternalSecret also writes Secret ${key}. Combine both in one binding with several sources`,
        },
      ],
    })),
  };
}
