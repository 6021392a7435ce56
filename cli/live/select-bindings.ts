import { eachBindingOnce } from "../../shared/bindings/affected-bindings.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { BindingIndex, SourceBindings } from "../../shared/bindings/binding-index.ts";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import { UsageError } from "../errors.ts";
import { NothingSelected } from "./errors.ts";

export type Selection = {
  /** `namespace/name` of a Kubernetes Secret, or the name or ARN of a source. Undefined selects all bindings. */
  readonly what?: string | undefined;
  /** Keys of `clusters`. */
  readonly clusters?: readonly string[] | undefined;
};

/**
 * The selected bindings, grouped by source. A name that matches both a Secret and a source selects both, because an
 * extra sync is harmless. Throws NothingSelected if nothing is bound, and UsageError for an unknown name. Pure.
 */
export function selectBindings(index: BindingIndex, { what, clusters }: Selection): SourceBindings[] {
  checkClusters(Object.keys(index.clusters), clusters);
  const isInClusters = ({ target }: Binding) => clusters?.includes(target.cluster) ?? true;
  const reference = what === undefined ? undefined : parseSecretReference(what, "any");
  const matches = new Set(reference === undefined ? [] : index.find(reference));
  const selected = index.sources.map((group) => ({
    source: group.source,
    bindings: group.bindings.filter(
      (binding) =>
        isInClusters(binding) && (what === undefined || matches.has(group) || nameOf(binding) === what),
    ),
  }));
  const found = eachBindingOnce(selected);
  if (found.length > 0) return found;
  const bindings = index.bindings.filter(isInClusters);
  if (bindings.length === 0) throw new NothingSelected("in these clusters");
  throw unknownName(what ?? "", bindings);
}

const nameOf = ({ target: { namespace, name } }: Binding): string => `${namespace}/${name}`;

/** Throws UsageError for a key that is not in the bindings. */
export function checkClusters(known: readonly string[], keys: readonly string[] = []): void {
  const unknown = keys.find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const suggestion = suggestName(unknown, known);
  throw new UsageError(
    `The bindings have no cluster ${unknown}. ${suggestion ? `Did you mean ${suggestion}?` : `They have: ${shortList(known)}.`}`,
  );
}

function unknownName(what: string, bindings: readonly Binding[]): UsageError {
  const targets = [...new Set(bindings.map(nameOf))];
  const sources = [...new Set(bindings.flatMap((binding) => binding.sources.map(({ id }) => id)))];
  const suggestion = suggestName(what, [...targets, ...sources]);
  return new UsageError(
    `No binding matches ${what}. ${suggestion ? `Did you mean ${suggestion}? ` : ""}Bound Secrets: ${shortList(targets)}. Their sources: ${shortList(sources)}.`,
  );
}

const NAMES_SHOWN_MAX = 8;

function shortList(names: readonly string[]): string {
  const more = names.length > NAMES_SHOWN_MAX ? ` and ${names.length - NAMES_SHOWN_MAX} more` : "";
  return names.slice(0, NAMES_SHOWN_MAX).join(", ") + more;
}
