import type { TargetRef } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { ClaimedFields } from "../cluster/claim-ownership.ts";
import type { FieldPath } from "../cluster/managed-fields.ts";
import type { Collision } from "../render/merge-data.ts";
import type { FindingCode } from "./catalogue.ts";
import type { Observation } from "./observation.ts";

/** The finding on one target, and the action of the relay. Never contains a value. */
export type Verdict = {
  readonly target: TargetRef;
  /** As in the binding; of several, the one that the finding is about, or all of them separated by commas. */
  readonly source: string;
  readonly finding: FindingCode | null;
  readonly action: ActionKind;
  readonly observed: "metadata" | "values";
  /** For `refuse` and `unknown`. */
  readonly code?: string;
  readonly advice?: string;
  /** For `unknown`: a retry may succeed. */
  readonly retryable?: boolean;
  /** ISO 8601: the earliest time at which a sweep may delete the Secret. */
  readonly deleteAfter?: string;
  /** ISO 8601, with code HELD: the end of the hold. */
  readonly until?: string;
  readonly details: FindingDetails;
  /** Present for create, update and replace when the values were observed. */
  readonly write?: WritePlan;
  /** The annotation that a sweep sets or removes: source or binding is gone, or has returned. */
  readonly note?: "gone" | "returned";
};

export type ActionKind = "none" | "create" | "update" | "replace" | "delete" | "refuse" | "unknown";

export type WritePlan = {
  readonly changes: readonly Change[];
  /** Take conflicting fields from other managers. */
  readonly force: boolean;
  /**
   * The fields whose ownership must move to the relay before the apply: server-side apply removes a field only when
   * the relay alone owns it.
   */
  readonly disown: ClaimedFields;
  /** Another manager changed what the relay had applied. */
  readonly isTakeBack: boolean;
};

export type FindingDetails = {
  /** STALE: for at least this long, counted from the last change of the secret in Secrets Manager. */
  readonly staleMs?: number;
  readonly liveVersionId?: string;
  readonly currentVersionId?: string;
  /** STALE, with several sources: the stale ones. The fields above are those of the first. */
  readonly staleSources?: readonly StaleSource[];
  /** Fields of the relay that other managers changed, with manager and time if managedFields has them. */
  readonly fields?: readonly ForeignChange[];
  /** Keys that the relay did not write, with their managers. */
  readonly foreignKeys?: readonly ForeignKey[];
  /** The GitOps or packaging tool that tracks an adopted Secret, and its name for it. */
  readonly trackedBy?: string;
  /** The keys that a write changes or changed. Before the write, only an observation by values shows them. */
  readonly changes?: readonly KeyChange[];
  /** Keys that several sources produce; the last source wins. */
  readonly collisions?: readonly Collision[];
  /** A more precise code, such as SOURCE_KEY_MISSING for UNRENDERABLE, or the controller's word for ROLLOUT_STUCK. */
  readonly cause?: string;
  /** ROLLOUT_STUCK: why new pods do not start, in words of the kubelet. */
  readonly podReasons?: readonly string[];
};

export type StaleSource = {
  readonly source: string;
  readonly liveVersionId: string;
  readonly currentVersionId: string;
};

export type ForeignChange = {
  readonly field: FieldPath;
  readonly what: "changed" | "removed" | "taken";
  readonly manager?: string;
  /** ISO 8601. */
  readonly at?: string;
};

export type ForeignKey = { readonly key: string; readonly manager?: string };

export type KeyChange = { readonly key: string; readonly what: Change["what"] };

export type Change = {
  readonly field: FieldPath;
  readonly what: "added" | "changed" | "removed" | "taken back";
};

/** A verdict with the parts that follow from the observation. */
export function verdictOn(
  { binding, desired, live }: Observation,
  verdict: Pick<Verdict, "finding" | "action"> & Partial<Verdict>,
): Verdict {
  return {
    target: binding.target,
    source: nameOfSources(binding),
    observed:
      desired !== undefined || (live.kind === "found" && "data" in live.secret) ? "values" : "metadata",
    details: {},
    ...verdict,
  };
}
