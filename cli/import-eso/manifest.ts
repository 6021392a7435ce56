import { isCollection, parseAllDocuments, visit } from "yaml";
import { hasTooManyMarks } from "../../shared/bindings/yaml-marks.ts";
import { isFields } from "./fields.ts";
import { mergeProblem } from "./merge-keys.ts";

/** One object of a manifest. */
export type Manifest = {
  /** The path on the command line, or below it; `cluster` for a live object. */
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
};

export type ManifestProblem = { readonly file: string; readonly reason: string };

export type ReadManifests = {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly ManifestProblem[];
};

/**
 * The objects of a file: YAML or JSON, with several documents and nested Lists. A syntax error rejects the whole file,
 * because the ends of the other documents are then uncertain.
 */
export function readManifests(file: string, text: string): ReadManifests {
  const unreadable = (reason: string): ReadManifests => ({ manifests: [], problems: [{ file, reason }] });
  if (hasTooManyMarks(text)) return unreadable("line 1: it is too large");
  const lineAt = (offset: number): number => text.slice(0, offset).split("\n").length;
  const documents = parseAllDocuments(text, { prettyErrors: false, merge: true }); // as kubectl reads them
  const manifests: Manifest[] = [];
  for (const document of "empty" in documents ? [] : documents) {
    const [error] = document.errors;
    if (error !== undefined) {
      return unreadable(`line ${lineAt(error.pos[0])}: ${reasonOf(error.code)}`);
    }
    let isTemplate = false;
    visit(document, {
      // `{{ .Values.x }}` is valid YAML: a map with a map as its key.
      Pair: (_, { key }) => {
        isTemplate ||= isCollection(key);
      },
    });
    if (isTemplate) return unreadable(reasonOf("COLLECTION_KEY"));
    const merge = mergeProblem(document);
    if (merge !== undefined) return unreadable(`line ${lineAt(merge.offset)}: ${merge.reason}`);
    let object: unknown;
    try {
      object = document.toJS({ maxAliasCount: ALIASES_MAX });
    } catch {
      return unreadable("its aliases can't be resolved");
    }
    manifests.push(...objectsIn(file, object, 0));
  }
  return { manifests, problems: [] };
}

/** An object of an API server, or the objects of a list. */
export const manifestsOf = (file: string, object: unknown): Manifest[] => objectsIn(file, object, 0);

const ALIASES_MAX = 100;
const LISTS_DEEP_MAX = 8;

function objectsIn(file: string, object: unknown, depth: number): Manifest[] {
  if (!isFields(object) || depth > LISTS_DEEP_MAX) return [];
  const { apiVersion, kind, metadata, items } = object;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return [];
  if (kind.endsWith("List") && Array.isArray(items)) {
    const itemKind = kind.slice(0, -"List".length);
    // An API server omits apiVersion and kind of the items.
    const complete = (item: unknown) =>
      isFields(item) && itemKind !== "" ? { apiVersion, kind: itemKind, ...item } : item;
    return items.flatMap((item) => objectsIn(file, complete(item), depth + 1));
  }
  const { name, namespace } = isFields(metadata) ? metadata : {};
  return [
    {
      file,
      apiVersion,
      kind,
      name: typeof name === "string" ? name : "",
      ...(typeof namespace === "string" && { namespace }),
      object,
    },
  ];
}

function reasonOf(code: string): string {
  if (code === "DUPLICATE_KEY") return "a key is defined twice";
  return "this is not valid YAML. Render a Helm chart first: helm template";
}

/** `ExternalSecret shop/db`, or `ClusterExternalSecret db`. */
export function nameOfManifest({ kind, name, namespace }: Manifest, defaultNamespace: string): string {
  return kind.startsWith("Cluster") ? `${kind} ${name}` : `${kind} ${namespace ?? defaultNamespace}/${name}`;
}
