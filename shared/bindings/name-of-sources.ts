import type { Binding, BoundSource } from "./binding.ts";

/** The sources of a binding, for logs and reports. */
export function nameOfSources({ sources }: Pick<Binding, "sources">): string {
  const [only, ...others] = sources;
  if (only !== undefined && others.length === 0) return only.id;
  return [...new Set(sources.map(({ id }) => id))].join(", ");
}

/** Names the version too, because a binding may use one secret under several labels. */
export function nameOfSource({ id, stage, versionId }: BoundSource): string {
  if (versionId !== undefined) return `${id} (version ${versionId})`;
  return stage === undefined ? id : `${id} (${stage})`;
}
