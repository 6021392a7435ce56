import type { Binding, BoundSource } from "./binding.ts";
import type { SourceBindings } from "./binding-index.ts";

/**
 * The bindings that a change of their source affects. `labels` are the moved staging labels if AWSCURRENT did not move.
 *
 * A change never affects a binding with a pinned version, except that a direct call means all targets of the source.
 */
export function affectedBindings(
  bound: readonly SourceBindings[],
  { reason, labels }: { readonly reason: string; readonly labels?: readonly string[] },
): readonly SourceBindings[] {
  if (reason === "direct") return bound;
  const follows = ({ stage = "AWSCURRENT", versionId }: BoundSource): boolean =>
    versionId === undefined && (labels === undefined || labels.includes(stage));
  return bound
    .map(({ source, bindings }) => ({
      source,
      bindings: bindings.filter(({ sources }) =>
        sources.some((each) => each.id === source.id && follows(each)),
      ),
    }))
    .filter(({ bindings }) => bindings.length > 0);
}

/** A binding of several sources is listed under each of them; keeps it only under the first. */
export function eachBindingOnce(bound: readonly SourceBindings[]): SourceBindings[] {
  const taken = new Set<Binding>();
  return bound
    .map(({ source, bindings }) => {
      const left = bindings.filter((binding) => !taken.has(binding));
      for (const binding of left) taken.add(binding);
      return { source, bindings: left };
    })
    .filter(({ bindings }) => bindings.length > 0);
}
