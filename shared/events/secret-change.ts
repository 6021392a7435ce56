import type { SecretReference, VersionId } from "../secret-id/secret-id.ts";

/** What any accepted event is reduced to: a reason to read one source. Nothing in it is ever written. */
export type SecretChange = {
  readonly source: SecretReference;
  /** Stable words for logs and metrics: which kind of event said so. */
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
  /** Which staging labels moved, where AWSCURRENT is not among them; without it, AWSCURRENT and what follows it. */
  readonly labels?: readonly [string, ...string[]];
  /** The version that the event says is current, or under those labels; a hint for a second read, nothing more. */
  readonly versionId?: VersionId;
  /** When it happened by the event's own clock (whole seconds), in ms since the epoch; absent when that is in the future. */
  readonly occurredAt?: number;
  /** EventBridge's id of the event, for logs. */
  readonly eventId?: string;
};
