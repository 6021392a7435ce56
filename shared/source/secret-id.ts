/** The id of a version of a source. VersionIds have no order. */
export type VersionId = string & { readonly __brand: "VersionId" };

export type AwsLocation = { readonly partition: string; readonly region: string; readonly accountId: string };

/** A source and which version to read: by staging label (default AWSCURRENT), or pinned. */
export type SourceAt = SecretReference & { readonly stage?: string; readonly versionId?: VersionId };

/**
 * A source as written in bindings, in an event, or on a command line.
 *
 * Secrets Manager appends a hyphen and six characters to the name in an ARN, and a legal name may itself end that
 * way, so an ARN of unknown origin can be read in two ways. `names` holds every reading, the likelier first.
 */
export type SecretReference = {
  /** Exactly as written; this is sent to Secrets Manager. */
  readonly id: string;
  readonly names: readonly [string, ...string[]];
  /**
   * The location in the ARN, or of the event for a bare name in an event. Absent for a bare name in bindings or on a
   * command line, which means the reader's own account and Region.
   */
  readonly location?: AwsLocation;
  /** The six characters, when the ARN is known to be a full one. */
  readonly suffix?: string;
};
