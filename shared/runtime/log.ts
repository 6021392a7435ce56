import type { Logger } from "@aws-lambda-powertools/logger";

/** Every log message: a stable code (used by alarms, queries and the runbook), a level and a sentence. */
export const LOG = {
  SYNC_STARTED: ["INFO", "An event was accepted; syncing the targets of its source"],
  SYNC_COMPLETED: ["INFO", "All targets of the source were processed"],
  TARGET_WRITTEN: ["INFO", "A Kubernetes Secret now holds the current version"],
  TARGET_UNCHANGED: ["INFO", "A Kubernetes Secret already held the current version"],
  TARGET_REFUSED: ["ERROR", "A Kubernetes Secret was not changed; an operator must act"],
  TARGET_FAILED: ["WARN", "A Kubernetes Secret could not be written; it will be retried"],
  WORKLOAD_RESTARTED: ["INFO", "A workload is being restarted to use the new Secret"],
  RESTART_SKIPPED: ["WARN", "A workload was not restarted now; its restart stays pending"],
  RESTART_REFUSED: ["ERROR", "A workload could not be restarted; an operator must act"],
  RESTART_FAILED: ["WARN", "A workload could not be restarted; it will be retried"],
  ROLLOUT_COMPLETED: ["INFO", "All pods of a restarted workload run with the new Secret"],
  ROLLOUT_STUCK: ["ERROR", "A restarted workload does not finish its rollout; an operator must act"],
  FOLLOW_UP_NOT_SENT: [
    "WARN",
    "Restarted workloads are not followed by a message; the next sweep looks at them",
  ],
  ROTATION_EFFECTIVE: ["INFO", "All restarted workloads that read a Secret run with its current version"],
  PODS_NUDGED: ["INFO", "Pods that mount a Secret were annotated to refresh their files now"],
  NUDGE_INCOMPLETE: ["WARN", "Some Pods that mount a Secret were not annotated; their files update later"],
  KUBERNETES_EVENT_FAILED: ["WARN", "A Kubernetes Event about a Secret could not be posted"],
  EXTERNAL_SECRET_REFRESHED: ["INFO", "The External Secrets Operator refreshed a nudged object"],
  EXTERNAL_SECRET_IGNORED: ["WARN", "The External Secrets Operator will not refresh an affected object"],
  EXTERNAL_SECRET_REFUSED: ["ERROR", "Trigger mode failed in a cluster; an operator must act"],
  EXTERNAL_SECRET_FAILED: ["WARN", "A nudged object is not refreshed yet; it will be retried"],
  EXTERNAL_SECRETS_UNCONCERNED: ["DEBUG", "No object of the External Secrets Operator reads the source"],
  SOURCE_NOT_BOUND: ["DEBUG", "An event names a source that no binding uses"],
  WEBHOOK_ID_NOT_BOUND: ["WARN", "A call names a webhook id that no binding has"],
  WEBHOOK_CALL_ACCEPTED: ["INFO", "A signed call was passed to the rotation function"],
  WEBHOOK_CALL_REPEATED: ["INFO", "An already accepted call came again and was ignored"],
  WEBHOOK_CALL_REFUSED: ["WARN", "A call of the webhook's URL was refused"],
  WEBHOOK_CALL_FAILED: ["ERROR", "A call could not be processed; its sender was asked to retry"],
  WEBHOOK_KEYS_NOT_RENEWED: ["WARN", "The signing keys could not be refreshed; the cached keys stay in use"],
  EVENT_IGNORED: ["DEBUG", "An event changes no value"],
  EVENT_REJECTED: ["WARN", "The relay does not accept an input as an event"],
  EVENT_UNCHECKED: ["WARN", "The bindings of an event are unknown; it will be retried"],
  ROTATION_FAILED: ["ERROR", "Secrets Manager reports that the rotation of a bound source failed"],
  ROTATION_ABANDONED: ["ERROR", "Secrets Manager reports that the rotation of a bound source was abandoned"],
  DRIFT_FOUND: ["WARN", "A sweep found drift of a Kubernetes Secret"],
  CERTIFICATE_SEEN: ["INFO", "Days until a certificate in a Kubernetes Secret expires"],
  KEYS_COLLIDE: ["INFO", "Several sources set the same key of a Kubernetes Secret; the last source wins"],
  TARGET_UNKNOWN: ["ERROR", "A sweep could not compare a Kubernetes Secret with its source"],
  ORPHANS_UNKNOWN: ["DEBUG", "Listing is not allowed in a namespace, so orphans there are unknown"],
  SWEEP_COMPLETED: ["INFO", "A sweep, or a shard of one, is complete"],
  CHANGES_UNKNOWN: [
    "WARN",
    "What a publication changed is unknown; the sweep starts with no binding before others",
  ],
  MESSAGE_REJECTED: ["WARN", "A queue message is neither a shard nor a follow-up of a supported version"],
  INVOCATION_FAILED: ["ERROR", "The invocation failed; its event will be retried"],
} as const satisfies Record<string, readonly ["DEBUG" | "INFO" | "WARN" | "ERROR", string]>;

export type LogCode = keyof typeof LOG;

/** The closed list of log fields. None of them can hold a secret value. */
export type LogFields = {
  readonly source?: string;
  readonly target?: string;
  readonly versionId?: string;
  readonly reason?: string;
  readonly code?: string;
  readonly advice?: string;
  readonly eventId?: string;
  readonly changes?: readonly string[];
  /** Keys that several sources set, with the names of the sources; the last one wins. */
  readonly collisions?: readonly string[];
  readonly propagationMs?: number;
  readonly effectiveMs?: number;
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
  readonly generation?: number;
  readonly since?: number;
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
  /** Other Secrets that a restart serves. */
  readonly alsoFor?: readonly string[];
  /** Words of the kubelet: why new pods do not start. */
  readonly podReasons?: readonly string[];
  readonly object?: string;
  readonly refreshMs?: number;
  readonly nudges?: number;
  readonly pods?: number;
  readonly awsCalls?: number;
  readonly kubernetesCalls?: number;
};

export type Log = (code: LogCode, fields?: LogFields) => void;

/** Logs one JSON line per message through Powertools, with its code as `logCode`. */
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
