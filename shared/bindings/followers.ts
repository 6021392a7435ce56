import type { Binding, BoundSource } from "./binding.ts";
import type { SourceBindings } from "./binding-index.ts";

/**
 * Of the bindings of a source, those that a change of it concerns. `labels` are the staging labels that moved, where
 * AWSCURRENT is not among them.
 *
 * Nothing that happens to a source concerns a binding that has pinned one of its versions. Whoever names a source by
 * hand means all its targets, these too.
 */
export function bindingsConcerned(
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

/** A binding of several sources is with each of them: here with the first only. */
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
