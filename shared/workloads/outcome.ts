import type { VersionId } from "../source/secret-id.ts";
import type { RolloutStatus } from "./rollout-status.ts";

export type RestartOutcome = Waiting & {
  /** `Deployment/shop`, or `Deployment/*` if the Deployments could not be listed. */
  readonly workload: string;
  /**
   * restarted: its pods are being replaced. already: it was restarted for this version, or started with it.
   * due: a plan would restart it. skipped: not now, see the code. refused: an operator must act. failed: it will be
   * retried.
   */
  readonly outcome: "restarted" | "already" | "due" | "skipped" | "refused" | "failed";
  readonly code?: string;
  /** With `restarted`: other Secrets whose new value the new pods read too. Their own restart is not needed any more. */
  readonly alsoFor?: readonly string[];
  /** ISO 8601, with `already`: when the restart for this version had reached all pods. */
  readonly effectiveAt?: string;
  /** With `already`, until the relay has recorded that the restart reached all pods. */
  readonly rollout?: RolloutStatus;
};

/** For a restart that is not made, and for a rollout that is not complete. */
export type Waiting = {
  /** The version that the workload will run with. */
  readonly versionId?: VersionId;
  /** ISO 8601: when the Secret got the version; of a rollout, when it began. */
  readonly since?: string;
  /** ISO 8601: the earliest time of the restart, by delaySeconds or minimumIntervalSeconds. */
  readonly until?: string;
};

/** Why a workload was skipped; its restart stays pending. */
export type SkipCode =
  | "WORKLOAD_PAUSED"
  | "WORKLOAD_BEING_DELETED"
  /** With the strategy OnDelete a new template does not replace pods. */
  | "WORKLOAD_UPDATES_ON_DELETE"
  /** Its last restart is more recent than minimumIntervalSeconds. */
  | "RESTART_TOO_SOON"
  /** The Secret has a newer value; the writer of that value restarts the workload. */
  | "RESTART_SUPERSEDED"
  /** The previous workload in the sequence could not be restarted. */
  | "RESTART_WAITS_FOR_ANOTHER";

/** Numbers of Pods. */
export type NudgeOutcome = {
  readonly nudged: number;
  readonly failed: number;
  /** Over the limit; their kubelets find the new value by themselves. */
  readonly left: number;
  readonly code?: string;
};

export type FollowUpOutcome = {
  readonly restarts?: readonly RestartOutcome[];
  /** Present once for each version: the last restarted workload has completed its rollout. */
  readonly effective?: Effective;
  /** The last change of the data, for a binding with `restart`. */
  readonly rotation?: Rotation;
  /** Why the Pods of a stuck rollout could not be listed. */
  readonly podsUnknown?: string;
  readonly nudge?: NudgeOutcome;
  /** Why no Kubernetes Event could be posted. */
  readonly eventFailure?: string;
};

export type Effective = {
  /** ISO 8601. */
  readonly at: string;
  /** From the move of AWSCURRENT, or, without its event, from the write of the Secret. */
  readonly afterMs: number;
};

/** The last change of a Secret's data, until the workloads run with it. */
export type Rotation = {
  readonly versionId: VersionId;
  /**
   * effective: all restarted workloads run with the version. waiting: a restart or a rollout is not finished. stuck: a
   * rollout is stuck. refused: a restart is refused. unneeded: no workload ran with another version.
   */
  readonly state: "effective" | "waiting" | "stuck" | "refused" | "unneeded";
  /** ISO 8601: when AWSCURRENT moved; absent if its event did not arrive. */
  readonly movedAt?: string;
  /** ISO 8601: when the Secret got the version. */
  readonly writtenAt: string;
  /** From the move. */
  readonly writtenAfterMs?: number;
  /** ISO 8601, with state effective. */
  readonly effectiveAt?: string;
  /** From the move, or, without its event, from the write. */
  readonly effectiveAfterMs?: number;
};

/** A restart that is not made, or a rollout that is not complete. */
export const isUnfinished = ({ outcome, rollout }: RestartOutcome): boolean =>
  (outcome !== "already" && outcome !== "restarted") ||
  (rollout !== undefined && rollout.state !== "complete");

/** Whether a later look may find another state. A refused restart waits for an operator. */
export const isOpen = ({ outcome, code, rollout, effectiveAt }: RestartOutcome): boolean =>
  effectiveAt === undefined &&
  (outcome === "restarted" ||
    outcome === "due" ||
    outcome === "failed" ||
    (outcome === "skipped" && code !== "RESTART_SUPERSEDED") ||
    rollout?.state === "progressing" ||
    rollout?.state === "paused");
