/**
 * The sync of one target, with everything left out that the fence does not rest on. States are plain data, so that two
 * ways to the same state are the same state. docs/fence-model.md explains it.
 */
export type State = {
  /** How far AWSCURRENT has moved: an index into the scope's versions. */
  readonly current: number;
  /** The oldest position that a lagging replica may still answer. */
  readonly staleFrom: number;
  readonly live: Live | null;
  readonly invocations: readonly Invocation[];
  /** What may still happen, so that it ends. */
  readonly left: Budget;
};

/** The Secret in the cluster. */
export type Live = {
  /** A version; `foreign` when somebody else made the Secret. */
  readonly version: string;
  /** Which move it has reached: kept for the judgement, and seen by nobody. */
  readonly reached: number;
  /** Written less than a minute ago. */
  readonly isFresh: boolean;
  /** What was current when it was written: nobody lags behind that for a whole minute. */
  readonly writtenAt: number;
};

/** What one read of the Secret has shown, and what became of that since. */
export type Seen =
  | { readonly kind: "absent" }
  | {
      readonly kind: "live";
      readonly version: string;
      readonly isFresh: boolean;
      readonly writtenAt: number;
      /** Nobody wrote since; somebody did; it was deleted, and perhaps made again. */
      readonly since: "same" | "written" | "deleted";
    };

export type Step =
  | "wait"
  | "read-live"
  | "read-source"
  /** Of an immutable Secret, which is made anew with its next version. */
  | "delete"
  | "apply"
  | "check"
  /** Succeeded: the target holds what it should. */
  | "done"
  /** Left alone, since somebody else keeps the Secret. */
  | "refused"
  /** To be repeated by Lambda. */
  | "failed";

export type Invocation = {
  readonly step: Step;
  readonly seen: Seen | null;
  /** The version that it will apply. */
  readonly version: string;
  /** Its last read of the source was not what was current. */
  readonly wasStale: boolean;
  /** A read that must be confirmed by the next. */
  readonly isSuspect: boolean;
  readonly conflicts: number;
  readonly confirmations: number;
  readonly rereads: number;
  /** An apply that was sent by an attempt which was killed then: it may arrive at any time. */
  readonly orphan: { readonly seen: Seen; readonly version: string } | null;
};

export type Budget = {
  readonly deletions: number;
  readonly foreign: number;
  readonly crashes: number;
  /** How many of the crashes may leave an apply on its way. */
  readonly orphans: number;
  readonly staleReads: number;
  readonly lostAnswers: number;
  readonly minutes: number;
};

/** How much is looked at. */
export type Scope = {
  /** What each move of AWSCURRENT brings, one letter a version; the first is there from the start. */
  readonly versions: string;
  /** The Secret holds the first version before anything happens. */
  readonly isBoundBefore: boolean;
  /** For each: the move that it is invoked for, and whether its event names the version. */
  readonly invocations: readonly { readonly for: number; readonly isTold: boolean }[];
  readonly budget: Budget;
  /** The Secret is immutable: what would be an update is a deletion and a create. */
  readonly isImmutable?: true;
  readonly conflictsMax: number;
  readonly confirmationsMax: number;
  readonly rereadsMax: number;
  /** How many reads of one invocation may be stale in a row. */
  readonly staleInARow: 1 | 2;
};

/** The protocol, or the protocol with a mistake in it. */
export type Protocol =
  | "as it is"
  | "fence off"
  | "no uid in the fence"
  | "unconditional create"
  | "no check after the create"
  | "source before live"
  | "no confirming read"
  | "believes what was not confirmed"
  | "leaves without a fence"
  | "a lost fence taken for done"
  | "writes over what is somebody else's"
  | "deletes whatever is there";
