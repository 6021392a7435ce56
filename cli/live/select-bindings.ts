import type { Binding } from "../../shared/bindings/binding.ts";
import type { BindingIndex, SourceBindings } from "../../shared/bindings/binding-index.ts";
import { eachBindingOnce } from "../../shared/bindings/followers.ts";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import type { RelayError } from "../../shared/relay-error.ts";
import { parseSecretReference } from "../../shared/secret-id/parse-secret-reference.ts";
import { UsageError } from "../errors.ts";
import { NothingSelected } from "./nothing-selected.ts";

export type Selection = {
  /** `namespace/name` of a Kubernetes Secret, or the name or ARN of a source; all bindings without it. */
  readonly what?: string;
  /** Keys of `clusters`. */
  readonly clusters?: readonly string[];
};

/**
 * The bindings that a command line means, grouped by source. What reads both as a Secret and as a source means both:
 * syncing one too many is harmless. Throws NothingSelected when nothing is bound, and
 * UsageError for a name that is not bound. Pure.
 */
export function selectBindings(index: BindingIndex, { what, clusters }: Selection): SourceBindings[] {
  for (const key of clusters ?? []) {
    if (index.clusters[key] === undefined) throw unknownCluster(key, Object.keys(index.clusters));
  }
  const inClusters = ({ target }: Binding) => clusters?.includes(target.cluster) ?? true;
  const seen = what === undefined ? undefined : parseSecretReference(what, "any");
  const meant = new Set(seen === undefined ? [] : index.find(seen));
  const selected = index.sources.map((group) => ({
    source: group.source,
    bindings: group.bindings.filter(
      (binding) =>
        inClusters(binding) && (what === undefined || meant.has(group) || nameOf(binding) === what),
    ),
  }));
  const found = eachBindingOnce(selected);
  if (found.length === 0) throw nothingMeant(index, { ...(what !== undefined && { what }), inClusters });
  return found;
}

const nameOf = ({ target: { namespace, name } }: Binding): string => `${namespace}/${name}`;

function unknownCluster(key: string, known: readonly string[]): UsageError {
  const meant = suggestName(key, known);
  return new UsageError(
    `The bindings have no cluster ${key}. ${meant ? `Did you mean ${meant}?` : `They have: ${listed(known)}.`}`,
  );
}

function nothingMeant(
  index: BindingIndex,
  { what, inClusters }: { what?: string; inClusters: (binding: Binding) => boolean },
): RelayError {
  const bindings = index.bindings.filter(inClusters);
  if (bindings.length === 0) return new NothingSelected("in these clusters");
  const targets = [...new Set(bindings.map(nameOf))];
  const sources = [...new Set(bindings.flatMap(({ sources }) => sources.map(({ id }) => id)))];
  const meant = suggestName(what ?? "", [...targets, ...sources]);
  return new UsageError(
    `Nothing is bound under ${what}. ${meant ? `Did you mean ${meant}? ` : ""}Bound Secrets: ${listed(targets)}. Their sources: ${listed(sources)}.`,
  );
}

const LISTED_MAX = 8;

function listed(names: readonly string[]): string {
  const more = names.length > LISTED_MAX ? ` and ${names.length - LISTED_MAX} more` : "";
  return names.slice(0, LISTED_MAX).join(", ") + more;
}
