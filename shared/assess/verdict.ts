import type { TargetRef } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { FieldPath } from "../cluster/managed-fields.ts";
import type { Collision } from "../render/merge-data.ts";
import type { FindingCode } from "./catalogue.ts";
import type { Observation } from "./observation.ts";

/** What is wrong with one target and what the relay does about it. Names only, never a value. */
export type Verdict = {
  readonly target: TargetRef;
  /** As the binding writes it; of several, the one that the finding is about, or all of them with commas between. */
  readonly source: string;
  readonly finding: FindingCode | null;
  readonly action: ActionKind;
  readonly observed: "metadata" | "values";
  /** Of `refuse` and `unknown`. */
  readonly code?: string;
  readonly advice?: string;
  /** Of `unknown`: it may pass by itself. */
  readonly retryable?: boolean;
  /** ISO 8601: the Secret waits for its deletion, which a sweep may carry out from then on. */
  readonly deleteAfter?: string;
  /** ISO 8601, with code HELD: until when the relay leaves the Secret as it is. */
  readonly until?: string;
  readonly details: FindingDetails;
  /** How the write is done; present for create, update and replace when the values were observed. */
  readonly write?: WritePlan;
  /** What a sweep notes on the Secret: that it saw source or binding gone, or that they are back. */
  readonly note?: "gone" | "returned";
};

export type ActionKind = "none" | "create" | "update" | "replace" | "delete" | "refuse" | "unknown";

export type WritePlan = {
  readonly changes: readonly Change[];
  /** Take conflicting fields from other managers. */
  readonly force: boolean;
  /**
   * Data keys whose ownership must move to the relay before the apply: server-side apply removes a field only when
   * the relay alone owns it.
   */
  readonly disown: readonly string[];
  /** Another manager changed what the relay had applied. */
  readonly isTakeBack: boolean;
};

export type FindingDetails = {
  /** STALE: at least how long, counted from the last change of anything about the secret in Secrets Manager. */
  readonly staleMs?: number;
  readonly liveVersionId?: string;
  readonly currentVersionId?: string;
  /** STALE, of a binding with several sources: which of them; the fields above are those of the first. */
  readonly staleSources?: readonly StaleSource[];
  /** Which fields of the relay others changed, by whom and when as far as managedFields shows it. */
  readonly fields?: readonly ForeignChange[];
  /** Keys in a Secret of the relay that the relay did not write, with their managers. */
  readonly foreignKeys?: readonly ForeignKey[];
  /** The GitOps or packaging tool that tracks a Secret which is being adopted, and its name for it. */
  readonly trackedBy?: string;
  /** What a write changes, or did: key names. Only an observation by values can show it beforehand. */
  readonly changes?: readonly KeyChange[];
  /** Keys that several sources make; the last one's was taken. */
  readonly collisions?: readonly Collision[];
  /** A code beneath ours, such as SOURCE_KEY_MISSING under UNRENDERABLE. */
  readonly cause?: string;
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

/** What becomes of one key of a Secret: its name, never its value. */
export type KeyChange = { readonly key: string; readonly what: Change["what"] };

/** Names only: which field, and what becomes of it. */
export type Change = {
  readonly field: FieldPath;
  readonly what: "added" | "changed" | "removed" | "taken back";
};

/** The parts of a verdict that follow from the observation. */
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
