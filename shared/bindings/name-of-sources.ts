import type { Binding, BoundSource } from "./binding.ts";

/** The sources of a binding as it writes them, for a log line or a report. */
export function nameOfSources({ sources }: Pick<Binding, "sources">): string {
  return [...new Set(sources.map(({ id }) => id))].join(", ");
}

/** One source among several, which may take the same secret under another label. */
export function nameOfSource({ id, stage, versionId }: BoundSource): string {
  if (versionId !== undefined) return `${id} (version ${versionId})`;
  return stage === undefined ? id : `${id} (${stage})`;
}
