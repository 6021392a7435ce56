import type { Logger } from "@aws-lambda-powertools/logger";

/** Every log message there is: its code (which alarms, queries and the runbook use), level and sentence. */
export const LOG = {
  SYNC_STARTED: ["INFO", "An event was accepted; the targets of its source are being synced"],
  SYNC_COMPLETED: ["INFO", "Every target of the source was dealt with"],
  TARGET_WRITTEN: ["INFO", "A Kubernetes Secret now holds the current version"],
  TARGET_UNCHANGED: ["INFO", "A Kubernetes Secret already held the current version"],
  TARGET_REFUSED: ["ERROR", "A Kubernetes Secret was left alone; a person must act"],
  TARGET_FAILED: ["WARN", "A Kubernetes Secret could not be written now; it will be tried again"],
  WORKLOAD_RESTARTED: ["INFO", "A workload is being restarted, so that it reads its Secret anew"],
  RESTART_SKIPPED: ["WARN", "A workload was not restarted now; its restart stays due"],
  RESTART_REFUSED: ["ERROR", "A workload could not be restarted; a person must act"],
  RESTART_FAILED: ["WARN", "A workload could not be restarted now; it will be tried again"],
  PODS_NUDGED: ["INFO", "Pods that mount a Secret were told to look at it again"],
  NUDGE_INCOMPLETE: ["WARN", "Not every Pod that mounts a Secret was told; its file follows by itself"],
  KUBERNETES_EVENT_FAILED: ["WARN", "A Kubernetes Event about a Secret could not be posted"],
  EXTERNAL_SECRET_REFRESHED: [
    "INFO",
    "The External Secrets Operator has refreshed an object that was nudged",
  ],
  EXTERNAL_SECRET_IGNORED: [
    "WARN",
    "An object concerned is one that the External Secrets Operator will not refresh",
  ],
  EXTERNAL_SECRET_REFUSED: ["ERROR", "Trigger mode could not do its work in a cluster; a person must act"],
  EXTERNAL_SECRET_FAILED: ["WARN", "An object that was nudged is not refreshed yet; it will be tried again"],
  EXTERNAL_SECRETS_UNCONCERNED: ["DEBUG", "No object of the External Secrets Operator reads the source"],
  SOURCE_NOT_BOUND: ["DEBUG", "An event names a source that no binding uses"],
  WEBHOOK_ID_NOT_BOUND: ["WARN", "A call names a webhook id that no binding states"],
  WEBHOOK_CALL_ACCEPTED: ["INFO", "A signed call was handed over to the rotation function"],
  WEBHOOK_CALL_REPEATED: ["INFO", "A call that was accepted before came again, and nothing was done"],
  WEBHOOK_CALL_REFUSED: ["WARN", "A call of the webhook's URL was not accepted"],
  WEBHOOK_CALL_FAILED: ["ERROR", "A call could not be dealt with; its sender was told to send it again"],
  WEBHOOK_KEYS_NOT_RENEWED: ["WARN", "The signing keys could not be read again; those at hand are used on"],
  EVENT_IGNORED: ["DEBUG", "An event changes no value"],
  EVENT_REJECTED: ["WARN", "An input is not an event that the relay takes"],
  ROTATION_FAILED: ["ERROR", "Secrets Manager reports that the rotation of a bound source failed"],
  ROTATION_ABANDONED: ["ERROR", "Secrets Manager reports that the rotation of a bound source was abandoned"],
  DRIFT_FOUND: ["WARN", "A sweep found that a Kubernetes Secret is not as it should be"],
  CERTIFICATE_SEEN: ["INFO", "A sweep saw how many days a certificate in a Kubernetes Secret has left"],
  KEYS_COLLIDE: ["INFO", "Several sources make the same key of a Kubernetes Secret; the last one's is taken"],
  TARGET_UNKNOWN: ["ERROR", "A sweep could not compare a Kubernetes Secret with its source"],
  ORPHANS_UNKNOWN: ["DEBUG", "Listing is not allowed in a namespace, so orphans are not seen there"],
  SWEEP_COMPLETED: ["INFO", "A sweep, or a shard of one, is done"],
  SHARD_REJECTED: ["WARN", "A queue message is no shard that this release understands"],
  INVOCATION_FAILED: ["ERROR", "The invocation fails, so that its event is tried again"],
} as const satisfies Record<string, readonly ["DEBUG" | "INFO" | "WARN" | "ERROR", string]>;

export type LogCode = keyof typeof LOG;

/** The closed list of what may be logged beside the sentence. Nothing in it can hold a value of a secret. */
export type LogFields = {
  readonly source?: string;
  readonly target?: string;
  readonly versionId?: string;
  readonly reason?: string;
  readonly code?: string;
  readonly advice?: string;
  readonly eventId?: string;
  readonly changes?: readonly string[];
  /** Keys that several sources make, with their names; the last one's was taken. */
  readonly collisions?: readonly string[];
  readonly propagationMs?: number;
  readonly handlingMs?: number;
  readonly fenceConflicts?: number;
  readonly written?: number;
  readonly unchanged?: number;
  readonly refused?: number;
  readonly failed?: number;
  readonly finding?: string;
  readonly action?: string;
  readonly fields?: readonly string[];
  readonly staleMs?: number;
  readonly certificateExpiresInDays?: number;
  readonly sweepId?: string;
  readonly mode?: string;
  readonly plan?: boolean;
  readonly bindings?: number;
  readonly checked?: number;
  readonly unknown?: number;
  readonly deleteAfter?: string;
  readonly until?: string;
  readonly trackedBy?: string;
  readonly foreignKeys?: readonly string[];
  readonly findings?: number;
  readonly shardsQueued?: number;
  readonly workload?: string;
  readonly object?: string;
  readonly refreshMs?: number;
  readonly nudges?: number;
  readonly pods?: number;
  readonly awsCalls?: number;
  readonly kubernetesCalls?: number;
};

export type Log = (code: LogCode, fields?: LogFields) => void;

/** One JSON line a message, through Powertools, with its code beside it as `logCode`. */
export function logThrough(logger: Pick<Logger, "debug" | "info" | "warn" | "error">): Log {
  return (code, fields = {}) => {
    const [level, sentence] = LOG[code];
    const extra = { logCode: code, ...fields };
    if (level === "DEBUG") logger.debug(sentence, extra);
    else if (level === "INFO") logger.info(sentence, extra);
    else if (level === "WARN") logger.warn(sentence, extra);
    else logger.error(sentence, extra);
  };
}
