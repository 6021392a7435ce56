import type { TargetRef } from "../bindings/binding.ts";
import type { FieldPath } from "../cluster/managed-fields.ts";
import type { Collision } from "../render/merge-data.ts";
import type { KeyChange } from "../sync/key-changes.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";

/** Every kind of drift that a sweep can find, with its meaning. Alarms, the runbook and scripts rely on the codes. */
export const FINDING_CODES = {
  MISSING: "The bound Secret is not in the cluster.",
  STALE:
    "The Secret holds a version that is no longer current: AWSCURRENT, or the staging label that the binding states, is on another.",
  TAMPERED: "Somebody changed or removed fields that the relay applied.",
  TAKEN_OVER: "Another field manager owns everything that the relay had applied.",
  FINGERPRINT_CHANGED: "The binding's rules changed since the relay last applied the Secret.",
  VALUE_DIFFERS: "The Secret's metadata is in order and its values are not what the source holds.",
  ORPHAN: "A Secret of the relay's is bound no longer.",
  SOURCE_MISSING: "Secrets Manager has no such secret, or none with a current value.",
  SOURCE_SCHEDULED_FOR_DELETION: "The secret is scheduled for deletion and can still be restored.",
  VERSION_MISSING:
    "The secret is there, and no version has the staging label that the binding states, or the pinned version is gone.",
  VERSION_DEPRECATED:
    "The pinned version has no staging label, so Secrets Manager may delete it, or has done so.",
  NOT_OURS: "A Secret of that name is there, and the relay did not make it.",
  OWNED_BY_CONTROLLER: "A controller reconciles the Secret.",
  TYPE_DIFFERS: "The Secret has another type than the binding wants, and Kubernetes never changes one.",
  IMMUTABLE: "The Secret is immutable, so it can't follow its source.",
  BEING_DELETED: "The Secret is deleted and a finalizer holds it.",
  UNRENDERABLE: "The source's value does not fit the binding.",
} as const satisfies Record<string, string>;

export type FindingCode = keyof typeof FINDING_CODES;

/** What a sweep found about one target, and what became of it. Names only, never a value. */
export type Finding = {
  readonly code: FindingCode;
  readonly target: TargetRef;
  /**
   * As the binding writes it; of several, the one that it is about, or all of them with commas between. For an orphan,
   * what its annotation says.
   */
  readonly source: string;
  readonly details: FindingDetails;
  readonly action: Action;
} & FollowUpOutcome;

export type FindingDetails = {
  /** STALE: at least how long, counted from the last change of anything about the secret in Secrets Manager. */
  readonly staleMs?: number;
  readonly liveVersionId?: string;
  readonly currentVersionId?: string;
  /** STALE, of a binding with several sources: which of them; the fields above are those of the first. */
  readonly staleSources?: readonly StaleSource[];
  /** TAMPERED, VALUE_DIFFERS: which fields, by whom and when as far as managedFields tells. */
  readonly fields?: readonly TamperedField[];
  /** What a repair changes, or did: key names. Only a sweep by values can tell it without repairing. */
  readonly changes?: readonly KeyChange[];
  /** Keys that several sources make; the last one's was taken. */
  readonly collisions?: readonly Collision[];
  /** What to do about it, where a person must. */
  readonly advice?: string;
  /** A code beneath ours, such as SOURCE_KEY_MISSING under UNRENDERABLE. */
  readonly cause?: string;
};

export type StaleSource = {
  readonly source: string;
  readonly liveVersionId: string;
  readonly currentVersionId: string;
};

export type TamperedField = {
  readonly field: FieldPath;
  readonly what: "changed" | "removed" | "taken";
  readonly manager?: string;
  readonly at?: string;
};

export type Action =
  /** Only looked: the sweep was a plan. `would` says what it would have done. */
  | { readonly kind: "planned"; readonly would: "repair" | "delete" | "nothing" }
  | { readonly kind: "repaired" }
  /** By the time of the repair it was as it should be: an event or another sweep came first. */
  | { readonly kind: "already-right" }
  | { readonly kind: "deleted" }
  /** Left alone on purpose: deletionPolicy is retain, or there is nothing to repair. */
  | { readonly kind: "left" }
  /** More would have been deleted than the set share of the bindings. */
  | { readonly kind: "held-back" }
  /** A person must act. */
  | { readonly kind: "refused"; readonly code: string; readonly advice: string }
  /** It will be tried again at the next sweep. */
  | { readonly kind: "failed"; readonly code: string; readonly advice: string };

/** What a finding leads to, before anything is done. */
export type Diagnosis = Omit<Finding, "action"> & {
  readonly remedy: "repair" | "delete" | "none";
  /** Why no repair is tried, where the metadata alone says so. */
  readonly refusal?: { readonly code: string; readonly advice: string };
};
