/** What the relay writes beside the data, so that the next reader knows where a Secret came from. */
export const MANAGED_LABEL = "secret-relay/managed";

export const ANNOTATIONS = {
  /** The VersionId that the data was made from; of several sources, what stands for theirs together. */
  versionId: "secret-relay/version-id",
  /** The full ARN of the source; of several, with commas between. */
  source: "secret-relay/source",
  /** The binding's fingerprint: shows that the rules changed. */
  bindingFingerprint: "secret-relay/binding-fingerprint",
  /** The names of the data keys that we applied: without values, it shows which one somebody took away. */
  keys: "secret-relay/keys",
  /** What to do with the Secret when its binding is gone: `retain` or `delete`. */
  deletionPolicy: "secret-relay/deletion-policy",
  /** When we applied it, ISO 8601 by our clock. */
  writtenAt: "secret-relay/written-at",
} as const;

/** Of several sources only: the VersionId of each, in the order of their ARNs, with blanks between. */
export const SOURCE_VERSIONS_ANNOTATION = "secret-relay/source-versions";

export const MANAGED_SELECTOR = `${MANAGED_LABEL}=true`;
