/**
 * The sync of one target, without everything that the fence does not depend on. States are plain data, so that two
 * paths to the same state are equal. docs/fence-model.md explains it.
 */
export type State = {
  /** How far AWSCURRENT has moved: an index into the scope's versions. */
  readonly current: number;
  /** The oldest position that a lagging replica may still answer. */
  readonly staleFrom: number;
  readonly live: Live | null;
  readonly invocations: readonly Invocation[];
  /** What may still happen, so that the walk ends. */
  readonly left: Budget;
};

/** The Secret in the cluster. */
export type Live = {
  /** A version; `foreign` when another owner created the Secret. */
  readonly version: string;
  /** Which move it has reached: for the invariants only, the protocol cannot read it. */
  readonly reached: number;
  /** Written less than a minute ago. */
  readonly isFresh: boolean;
  /** The current version at the time of the write: no replica lags behind that for a whole minute. */
  readonly writtenAt: number;
};

/** What one read of the Secret showed, and what happened to the Secret since. */
export type Observed =
  | { readonly kind: "absent" }
  | {
      readonly kind: "live";
      readonly version: string;
      readonly isFresh: boolean;
      readonly writtenAt: number;
      /** Unchanged since; changed; or deleted and perhaps recreated. */
      readonly since: "same" | "written" | "deleted";
    };

export type Step =
  | "wait"
  | "read-live"
  | "read-source"
  /** For an immutable Secret, which is recreated for its next version. */
  | "delete"
  | "apply"
  | "check"
  /** Succeeded: the target holds the desired version. */
  | "done"
  /** Refused, because another owner has the Secret. */
  | "refused"
  /** Lambda retries it. */
  | "failed";

export type Invocation = {
  readonly step: Step;
  readonly seen: Observed | null;
  /** The version to apply. */
  readonly version: string;
  /** Its last read of the source was stale. */
  readonly wasStale: boolean;
  /** A read that the next one must confirm. */
  readonly isSuspect: boolean;
  readonly conflicts: number;
  readonly confirmations: number;
  readonly rereads: number;
  /** An apply sent by an attempt that was then killed: it may arrive at any time. */
  readonly orphan: { readonly seen: Observed; readonly version: string } | null;
};

export type Budget = {
  readonly deletions: number;
  readonly foreign: number;
  readonly crashes: number;
  /** How many of the crashes may leave an apply in flight. */
  readonly orphans: number;
  readonly staleReads: number;
  readonly lostAnswers: number;
  readonly minutes: number;
};

/** The size of one exploration. */
export type Scope = {
  /** The version that each move of AWSCURRENT brings, one letter per version; the first is current at the start. */
  readonly versions: string;
  /** The Secret holds the first version at the start. */
  readonly isBoundBefore: boolean;
  /** For each invocation: the move that triggered it, and whether its event names the version. */
  readonly invocations: readonly { readonly for: number; readonly isTold: boolean }[];
  readonly budget: Budget;
  /** The Secret is immutable: an update becomes a deletion and a create. */
  readonly isImmutable?: true;
  readonly conflictsMax: number;
  readonly confirmationsMax: number;
  readonly rereadsMax: number;
  /** How many reads of one invocation may be stale in a row. */
  readonly staleInARow: 1 | 2;
};

/** The protocol, or the protocol with one mistake. */
export type Protocol =
  | "as it is"
  | "fence off"
  | "no uid in the fence"
  | "unconditional create"
  | "no check after the create"
  | "source before live"
  | "no confirming read"
  | "trusts an unconfirmed read"
  | "leaves without a fence"
  | "a lost fence treated as success"
  | "overwrites another owner's Secret"
  | "deletes without a precondition";
