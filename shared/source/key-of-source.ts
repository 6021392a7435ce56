import type { SourceAt } from "./secret-id.ts";

/** Sources with equal keys share one read. Ids contain no spaces, so keys are unambiguous. */
export function keyOfSource({ id, stage, versionId }: Pick<SourceAt, "id" | "stage" | "versionId">): string {
  if (versionId !== undefined) return `${id} version ${versionId}`;
  return stage === undefined ? id : `${id} label ${stage}`;
}
