import { createHash } from "node:crypto";
import type { RelayMarks } from "../identity/relay-identity.ts";
import type { VersionId } from "../secret-id/secret-id.ts";

/**
 * What stands for the versions that the data was made from: of one source its VersionId; of several a digest of their
 * VersionIds, which differs whenever one of them does. No digest of a value.
 */
export function dataVersionOf(versionIds: readonly VersionId[]): VersionId {
  const [first, ...others] = versionIds;
  if (first !== undefined && others.length === 0) return first;
  const digest = createHash("sha256").update(versionIds.join(" ")).digest("hex").slice(0, 32);
  return `${SEVERAL}${digest}` as VersionId;
}

const SEVERAL = "several-";

/**
 * The versions that a Secret is annotated with, one for each of so many sources; undefined when it has none, or was
 * made from another number of sources.
 */
export function annotatedVersions(
  annotations: Readonly<Record<string, string>>,
  sources: number,
  { annotations: names }: Pick<RelayMarks, "annotations">,
): readonly string[] | undefined {
  const several = annotations[names.sourceVersions];
  const single = annotations[names.versionId];
  const versionIds = several?.split(" ") ?? (single === undefined ? undefined : [single]);
  return versionIds?.length === sources ? versionIds : undefined;
}
