import { createHash } from "node:crypto";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { VersionId } from "../source/secret-id.ts";

/** The version of the data: the VersionId of one source, or a digest of several VersionIds. Never a digest of a value. */
export function dataVersionOf(versionIds: readonly VersionId[]): VersionId {
  const [first, ...others] = versionIds;
  if (first !== undefined && others.length === 0) return first;
  const digest = createHash("sha256").update(versionIds.join(" ")).digest("hex").slice(0, 32);
  return `${SEVERAL}${digest}` as VersionId;
}

const SEVERAL = "several-";

/** The VersionIds in a Secret's annotations; undefined if absent, or for another number of sources. */
export function annotatedVersions(
  annotations: Readonly<Record<string, string>>,
  sources: number,
  { annotations: names }: Pick<RelayMetadata, "annotations">,
): readonly string[] | undefined {
  const several = annotations[names.sourceVersions];
  const single = annotations[names.versionId];
  const versionIds = several?.split(" ") ?? (single === undefined ? undefined : [single]);
  return versionIds?.length === sources ? versionIds : undefined;
}
