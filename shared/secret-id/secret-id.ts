/** The id of one version of a source: equal or not equal to another, never older or newer. */
export type VersionId = string & { readonly __brand: "VersionId" };

/** Where a source lives. */
export type SecretHome = { readonly partition: string; readonly region: string; readonly accountId: string };

/** A source, and which of its versions: what a staging label names (AWSCURRENT without one), or one version for good. */
export type SourceAt = SecretReference & { readonly stage?: string; readonly versionId?: VersionId };

/**
 * A source as somebody wrote it: in bindings, in an event, on a command line.
 *
 * Secrets Manager appends a hyphen and six characters to the name in an ARN, and a legal name may itself end that
 * way, so an ARN of unknown origin can be read in two ways. `names` holds every reading, the likelier first.
 */
export type SecretReference = {
  /** Exactly what was written; this is what goes to Secrets Manager. */
  readonly id: string;
  readonly names: readonly [string, ...string[]];
  /**
   * Of an ARN, its own; of a bare name in an event, the event's. Absent for a bare name that somebody wrote: then it
   * is the account and Region of whoever reads it.
   */
  readonly home?: SecretHome;
  /** The six characters, when the ARN is known to be a full one. */
  readonly suffix?: string;
};
