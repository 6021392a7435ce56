import { isDeepStrictEqual } from "node:util";
import type { Binding, CompiledBindings } from "../binding.ts";
import { nameOfTarget } from "../name-of-target.ts";

/** What a publication changes. No field holds a value of a source. */
export type BindingsDiff = {
  readonly added: readonly Binding[];
  readonly removed: readonly Binding[];
  readonly changed: readonly ChangedBinding[];
  /** The keys of clusters. */
  readonly clusters: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
};

export type ChangedBinding = {
  readonly before: Binding;
  readonly after: Binding;
  /** The fields of the binding that differ, for example `sources` or `type`. */
  readonly fields: readonly string[];
};

type Compared = Pick<CompiledBindings, "clusters" | "bindings">;

/** Pure. Bindings are compared by their target. */
export function diffBindings(before: Compared, after: Compared): BindingsDiff {
  const old = new Map(before.bindings.map((binding) => [nameOfTarget(binding.target), binding]));
  const added: Binding[] = [];
  const changed: ChangedBinding[] = [];
  for (const binding of after.bindings) {
    const name = nameOfTarget(binding.target);
    const was = old.get(name);
    old.delete(name);
    if (was === undefined) added.push(binding);
    else {
      const fields = changedFields(was, binding);
      if (fields.length > 0) changed.push({ before: was, after: binding, fields });
    }
  }
  return {
    added,
    removed: [...old.values()],
    changed,
    clusters: diffClusters(before.clusters, after.clusters),
  };
}

export const isEmptyDiff = ({ added, removed, changed, clusters }: BindingsDiff): boolean =>
  [added, removed, changed, clusters.added, clusters.removed, clusters.changed].every(
    (list) => list.length === 0,
  );

function diffClusters(
  before: CompiledBindings["clusters"],
  after: CompiledBindings["clusters"],
): BindingsDiff["clusters"] {
  const isKnown = (clusters: CompiledBindings["clusters"]) => (key: string) => Object.hasOwn(clusters, key);
  const [old, now] = [Object.keys(before), Object.keys(after)];
  return {
    added: now.filter((key) => !isKnown(before)(key)),
    removed: old.filter((key) => !isKnown(after)(key)),
    changed: now.filter((key) => isKnown(before)(key) && !isDeepStrictEqual(before[key], after[key])),
  };
}

/** The fingerprint follows from the other fields, and no order of keys has a meaning. */
function changedFields(before: Binding, after: Binding): string[] {
  const [was, is] = [asPublished(before), asPublished(after)];
  const fields = new Set([...Object.keys(was), ...Object.keys(is)]) as Set<keyof Binding>;
  fields.delete("fingerprint");
  return [...fields].filter((field) => !isDeepStrictEqual(was[field], is[field]));
}

/** As it is read from the bucket. The maps of a file have no prototype, so a comparison with these would find a difference. */
const asPublished = (binding: Binding): Binding => JSON.parse(JSON.stringify(binding));
