import type { SecretReference, VersionId } from "../source/secret-id.ts";

/** Every accepted event becomes a SecretChange: a reason to read one source. Nothing in it is ever written. */
export type SecretChange = {
  readonly source: SecretReference;
  /** The kind of event; stable, for logs and metrics. */
  readonly reason:
    | "label-updated"
    | "put-secret-value"
    | "update-secret"
    | "update-secret-version-stage"
    | "create-secret"
    | "restore-secret"
    | "delete-secret"
    | "rotation-succeeded"
    | "direct"
    | "webhook";
  /** The staging labels that moved if AWSCURRENT did not; absent means that AWSCURRENT moved. */
  readonly labels?: readonly [string, ...string[]];
  /** The version that the event reports as current, or under those labels; only a hint for a second read. */
  readonly versionId?: VersionId;
  /** The event's own time (whole seconds), in ms since the epoch; absent when it is in the future. */
  readonly occurredAt?: number;
  /** EventBridge's id of the event, for logs. */
  readonly eventId?: string;
};
