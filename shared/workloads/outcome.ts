/** What became of one workload, or of the search for them. */
export type RestartOutcome = {
  /** `Deployment/shop`; `Deployment/*` when those that use the Secret could not be listed. */
  readonly workload: string;
  /**
   * restarted: its pods are being replaced. already: its pods run with this version.
   * skipped: not now, see the code. refused: a person must act. failed: it will be tried again.
   */
  readonly outcome: "restarted" | "already" | "skipped" | "refused" | "failed";
  readonly code?: string;
};

/** Why a workload was passed over; its restart stays due. */
export type SkipCode =
  | "WORKLOAD_PAUSED"
  | "WORKLOAD_BEING_DELETED"
  /** Its strategy is OnDelete: a new template alone replaces no pod. */
  | "WORKLOAD_UPDATES_ON_DELETE"
  /** Its last restart is younger than minimumIntervalSeconds. */
  | "RESTART_TOO_SOON"
  /** The Secret holds a newer value by now, and whoever wrote it restarts for that. */
  | "RESTART_SUPERSEDED"
  /** The one before it in the sequence could not be restarted now. */
  | "RESTART_WAITS_FOR_ANOTHER";

/** How many Pods were told to look at their Secret again. */
export type NudgeOutcome = {
  readonly nudged: number;
  readonly failed: number;
  /** Over the limit of one nudge; their kubelets find the new value by themselves. */
  readonly left: number;
  readonly code?: string;
};

/** What was done for those who read a Secret. */
export type FollowUpOutcome = {
  readonly restarts?: readonly RestartOutcome[];
  readonly nudge?: NudgeOutcome;
  /** Why no Kubernetes Event could be posted. */
  readonly eventFailure?: string;
};
