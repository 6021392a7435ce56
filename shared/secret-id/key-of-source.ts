import type { SourceAt } from "./secret-id.ts";

/** Equal for what one read serves. No id holds a blank, so no two of these are mixed up. */
export function keyOfSource({ id, stage, versionId }: Pick<SourceAt, "id" | "stage" | "versionId">): string {
  if (versionId !== undefined) return `${id} version ${versionId}`;
  return stage === undefined ? id : `${id} label ${stage}`;
}
