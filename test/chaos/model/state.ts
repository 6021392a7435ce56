/**
 * The sync of one target, without everything that the fence does not depend on. States are plain data, so that two
 * paths to the same state are equal. docs/internals/fence-model.md explains it.
 */
export type State = {
  /** How far AWSCURRENT has moved: an index into the scope's versions. */
  readonly current: number;
  /** Which generation of the bindings is in force: an index into the scope's generations. */
  readonly rules: number;
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
  /** The rules by which it was written. */
  readonly rules: string;
  /** Which generation it has reached: for the invariants only. */
  readonly rulesReached: number;
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
      readonly rules: string;
      readonly isFresh: boolean;
      readonly writtenAt: number;
      /** Unchanged since; changed; or deleted and perhaps recreated. */
      readonly since: "same" | "written" | "deleted";
    };

export type Step =
  | "wait"
  | "read-live"
  /** The pointer too, if it has not been read since the live Secret. */
  | "read-source"
  /** The source is read, the pointer is not. */
  | "read-rules"
  /** For an immutable Secret, which is recreated for its next version. */
  | "delete"
  | "apply"
  | "check"
  /** The pointer once more, after a create. */
  | "check-rules"
  /** By a sweep: the Secret has no binding. */
  | "delete-orphan"
  /** Its rules bind nothing, and it has nothing left to do. */
  | "unbound"
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
  /** The generation of its rules. */
  readonly known: number;
  /** What S3 said about them since its live read. */
  readonly checked: "not yet" | "in-force" | "unknown";
  /** The generation in force at its live read: for the invariants only. */
  readonly looked: number;
  readonly conflicts: number;
  readonly confirmations: number;
  readonly rereads: number;
  /** An apply sent by an attempt that was then killed: it may arrive at any time. */
  readonly orphan: Sent | null;
};

/** An apply on its way. */
export type Sent = { readonly seen: Observed; readonly version: string; readonly known: number };

export type Budget = {
  readonly deletions: number;
  readonly foreign: number;
  readonly crashes: number;
  /** How many of the crashes may leave an apply in flight. */
  readonly orphans: number;
  readonly staleReads: number;
  readonly lostAnswers: number;
  /** How many reads of the pointer get no answer. */
  readonly unanswered: number;
  readonly minutes: number;
};

/** The size of one exploration. */
export type Scope = {
  /** The version that each move of AWSCURRENT brings, one letter per version; the first is current at the start. */
  readonly versions: string;
  /** The Secret holds the first version at the start. */
  readonly isBoundBefore: boolean;
  /** For each invocation: the move that triggered it, and whether its event names the version. */
  readonly invocations: readonly {
    readonly for: number;
    readonly isTold: boolean;
    /** It deletes a Secret without a binding. */
    readonly isSweep?: true;
  }[];
  /** The rules of each generation, one letter each, `-` for no binding. With one generation nobody reads the pointer. */
  readonly generations?: string;
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
  | "deletes without a precondition"
  | "pointer before live"
  | "unknown rules taken for the ones in force"
  | "newer rules ignored"
  | "no pointer read after the create"
  | "unknown rules after a create believed"
  | "deletes without a pointer read";
