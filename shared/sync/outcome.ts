import type { Change, Verdict } from "../assess/verdict.ts";
import type { TargetRef } from "../bindings/binding.ts";
import type { RelayError } from "../relay-error.ts";
import type { Collision } from "../render/merge-data.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";

/** The outcome of one target and of the workloads that read it. */
export type SyncOutcome = TargetOutcome &
  FollowUpOutcome & {
    /** Absent when the target could not be observed. */
    readonly verdict?: Verdict;
  };

export type TargetOutcome =
  | {
      readonly kind: "written";
      readonly target: TargetRef;
      readonly versionId: VersionId;
      readonly isNew: boolean;
      readonly changes: readonly Change[];
      /** It was immutable, and was deleted and recreated. */
      readonly isReplaced?: true;
      /** From the event's time of the label move (whole seconds) until the response to the apply. */
      readonly propagationMs?: number;
      /** How often another client wrote between the relay's read and its apply. */
      readonly fenceConflicts: number;
      /** For kubernetes.io/tls: until the first certificate expires; negative afterwards. */
      readonly certificateExpiresInDays?: number;
      /** Keys that several sources produce; the last source wins. */
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
  /** Terminal: an operator must act. */
  | { readonly kind: "refused"; readonly target: TargetRef; readonly code: string; readonly advice: string }
  /** Retryable: the invocation must fail, so that Lambda retries it. */
  | { readonly kind: "failed"; readonly target: TargetRef; readonly code: string; readonly advice: string };

export function outcomeOfError(target: TargetRef, error: RelayError): TargetOutcome {
  return { kind: error.retryable ? "failed" : "refused", target, code: error.code, advice: error.message };
}

/** A retry may succeed. It finds a written Secret unchanged. */
export function mustBeRepeated({ kind, restarts = [] }: SyncOutcome): boolean {
  return kind === "failed" || restarts.some(({ outcome }) => outcome === "failed");
}
