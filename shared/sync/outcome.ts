import type { Change, Verdict } from "../assess/verdict.ts";
import type { TargetRef } from "../bindings/binding.ts";
import type { RelayError } from "../relay-error.ts";
import type { Collision } from "../render/merge-data.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";

/** What became of one target, and of those who read it. A report is the outcomes of one run. */
export type SyncOutcome = TargetOutcome &
  FollowUpOutcome & {
    /** What was decided about it; absent where nothing could be observed. */
    readonly verdict?: Verdict;
  };

export type TargetOutcome =
  | {
      readonly kind: "written";
      readonly target: TargetRef;
      readonly versionId: VersionId;
      readonly isNew: boolean;
      readonly changes: readonly Change[];
      /** It was immutable, and was deleted and created anew. */
      readonly isReplaced?: true;
      /** From the label's move, by the event's clock (whole seconds), until the apply was answered. */
      readonly propagationMs?: number;
      /** How often somebody else wrote between our read and our apply. */
      readonly fenceConflicts: number;
      /** Of kubernetes.io/tls: until the first certificate runs out; below zero once it has. */
      readonly certificateExpiresInDays?: number;
      /** Keys that several sources make; the last one's was taken. */
      readonly collisions?: readonly Collision[];
    }
  | {
      readonly kind: "unchanged";
      readonly target: TargetRef;
      readonly versionId: VersionId;
      readonly fenceConflicts: number;
      readonly certificateExpiresInDays?: number;
      readonly collisions?: readonly Collision[];
    }
  /** Terminal: a person must act. */
  | { readonly kind: "refused"; readonly target: TargetRef; readonly code: string; readonly advice: string }
  /** Retryable: the invocation must fail, so that it is tried again. */
  | { readonly kind: "failed"; readonly target: TargetRef; readonly code: string; readonly advice: string };

/** An error as the outcome of a target. */
export function outcomeOfError(target: TargetRef, error: RelayError): TargetOutcome {
  return { kind: error.retryable ? "failed" : "refused", target, code: error.code, advice: error.message };
}

/** Something of it may work if only repeated. A Secret that is written stays so, and the repeat finds it unchanged. */
export function mustBeRepeated({ kind, restarts = [] }: SyncOutcome): boolean {
  return kind === "failed" || restarts.some(({ outcome }) => outcome === "failed");
}
