import { isCollection, parseAllDocuments, visit } from "yaml";
import { hasTooManyMarks } from "../../shared/bindings/yaml-marks.ts";
import { isFields } from "./fields.ts";

/** One object of a manifest, and where it stands. */
export type Manifest = {
  /** As it was named on the command line or found below it; `cluster` for one that was read live. */
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
 * The objects of a file: YAML or JSON, several documents, Lists within Lists. What is no YAML is told, and the other
 * documents of the file with it: where one ends is then a guess.
 */
export function readManifests(file: string, text: string): ReadManifests {
  if (hasTooManyMarks(text))
    return { manifests: [], problems: [{ file, reason: "line 1: it is too large" }] };
  const documents = parseAllDocuments(text, { prettyErrors: false });
  const manifests: Manifest[] = [];
  for (const document of "empty" in documents ? [] : documents) {
    const [error] = document.errors;
    if (error !== undefined) {
      const line = text.slice(0, error.pos[0]).split("\n").length;
      return { manifests: [], problems: [{ file, reason: `line ${line}: ${reasonOf(error.code)}` }] };
    }
    let isTemplate = false;
    visit(document, {
      // `{{ .Values.x }}` is YAML too: a map whose key is a map.
      Pair: (_, { key }) => {
        isTemplate ||= isCollection(key);
      },
    });
    if (isTemplate) return { manifests: [], problems: [{ file, reason: reasonOf("COLLECTION_KEY") }] };
    let object: unknown;
    try {
      object = document.toJS({ maxAliasCount: ALIASES_MAX });
    } catch {
      return { manifests: [], problems: [{ file, reason: "its aliases can't be resolved" }] };
    }
    manifests.push(...objectsIn(file, object, 0));
  }
  return { manifests, problems: [] };
}

/** The objects of an API server's list, as if they had been read from a file. */
export const manifestsOf = (file: string, object: unknown): Manifest[] => objectsIn(file, object, 0);

const ALIASES_MAX = 100;
const LISTS_DEEP_MAX = 8;

function objectsIn(file: string, object: unknown, depth: number): Manifest[] {
  if (!isFields(object) || depth > LISTS_DEEP_MAX) return [];
  const { apiVersion, kind, metadata, items } = object;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return [];
  if (kind.endsWith("List") && Array.isArray(items)) {
    const ofItems = kind.slice(0, -"List".length);
    // An API server leaves out what the list says already.
    const whole = (item: unknown) =>
      isFields(item) && ofItems !== "" ? { apiVersion, kind: ofItems, ...item } : item;
    return items.flatMap((item) => objectsIn(file, whole(item), depth + 1));
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
  if (code === "DUPLICATE_KEY") return "a key stands twice, so which one counts is a guess";
  return "this is no YAML; a template of Helm has to be rendered first (helm template)";
}

/** `ExternalSecret shop/db`, or `ClusterExternalSecret db`. */
export function nameOfManifest({ kind, name, namespace }: Manifest, otherwise: string): string {
  return kind.startsWith("Cluster") ? `${kind} ${name}` : `${kind} ${namespace ?? otherwise}/${name}`;
}
