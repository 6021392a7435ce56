export type RestartOutcome = {
  /** `Deployment/shop`, or `Deployment/*` if the Deployments could not be listed. */
  readonly workload: string;
  /**
   * restarted: its pods are being replaced. already: its pods run with this version.
   * skipped: not now, see the code. refused: an operator must act. failed: it will be retried.
   */
  readonly outcome: "restarted" | "already" | "skipped" | "refused" | "failed";
  readonly code?: string;
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
  readonly nudge?: NudgeOutcome;
  /** Why no Kubernetes Event could be posted. */
  readonly eventFailure?: string;
};
