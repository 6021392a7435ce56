import type { Binding } from "../bindings/binding.ts";
import type { LiveMetadata, LiveSecret } from "../cluster/live-secret.ts";
import {
  annotationField,
  dataField,
  type FieldPath,
  fieldsAppliedByUs,
  isOurs,
  labelField,
} from "../cluster/managed-fields.ts";
import { toldName } from "../cluster/told-name.ts";
import { ANNOTATIONS } from "../render/ownership-marks.ts";
import type { DesiredSecret } from "../render/render-secret.ts";
import { NOTICE_ANNOTATION } from "../workloads/notice.ts";

/** What is to be done with one target, and why. Values are compared here and nowhere shown. */
export type Plan =
  | { readonly kind: "create"; readonly changes: readonly Change[] }
  | { readonly kind: "update"; readonly changes: readonly Change[] }
  /** Delete that very Secret and create it anew: it is immutable, and the binding says so. */
  | { readonly kind: "replace"; readonly changes: readonly Change[] }
  | { readonly kind: "leave" }
  | Refusal;

/** Why a target is left alone, and what a person can do about it. */
export type Refusal = { readonly kind: "refuse"; readonly code: RefusalCode; readonly advice: string };

/** Names only: which field, and what becomes of it. */
export type Change = {
  readonly field: FieldPath;
  readonly what: "added" | "changed" | "removed" | "taken back";
};

export type RefusalCode =
  | "TARGET_NOT_OURS"
  | "TARGET_OWNED_BY_CONTROLLER"
  | "TARGET_OWNED_BY_EXTERNAL_SECRETS"
  | "TARGET_TYPE_DIFFERS"
  | "TARGET_IMMUTABLE"
  | "TARGET_BEING_DELETED";

/**
 * Pure: no clock, no network. The rotation function and the sweep both decide here, so they never disagree.
 *
 * It does not look at who owns the fields that it would write: the API server judges that at apply, in one step with
 * the write, and a conflict without `adopt` comes back as FIELD_OWNED_BY_ANOTHER.
 */
export function planTarget(live: LiveSecret | undefined, desired: DesiredSecret, rules: WriteRules): Plan {
  if (live === undefined) return { kind: "create", changes: additionsOf(desired) };
  const refusal = refusalByMetadata(live, desired.type, rules);
  if (refusal !== undefined) return refusal;
  const changes = changesBetween(live, desired);
  if (changes.length === 0) return { kind: "leave" };
  return isFrozen(live, changes) ? planOfFrozen(live, rules, changes) : { kind: "update", changes };
}

function additionsOf({ data }: DesiredSecret): Change[] {
  return [...data.keys()].map((key) => ({ field: dataField(key), what: "added" }));
}

/** What of a binding decides whether we may write, and not what. */
export type WriteRules = Pick<Binding, "adopt" | "ownership" | "immutable">;

/** An API server changes neither the data of an immutable Secret nor its being immutable. */
function isFrozen(live: LiveSecret, changes: readonly Change[]): boolean {
  return live.immutable && changes.some(({ field, what }) => isFrozenField(field) && what !== "taken back");
}

const isFrozenField = (field: FieldPath): boolean => field.startsWith("data.") || field === IMMUTABLE_FIELD;

/** Only what we made immutable ourselves, by the binding's word, is deleted by it. */
function planOfFrozen(live: LiveSecret, { immutable }: WriteRules, changes: readonly Change[]): Plan {
  if (immutable === "replace" && fieldsAppliedByUs(live.managedFields).has(IMMUTABLE_FIELD)) {
    return { kind: "replace", changes };
  }
  return refuse(
    "TARGET_IMMUTABLE",
    "The Secret is immutable, so its data can't follow the source. Delete it so that it is made anew, or bind the source to a new name.",
  );
}

const IMMUTABLE_FIELD: FieldPath = "immutable";

/** Whether anybody who reads the Secret reads something else afterwards. */
export function touchesData(changes: readonly Change[]): boolean {
  return changes.some(({ field, what }) => field.startsWith("data.") && what !== "taken back");
}

/** What can be refused without seeing a value; the sweep asks it too, and then reads no source in vain. */
export function refusalByMetadata(
  live: LiveMetadata,
  type: string,
  { adopt, ownership }: WriteRules,
): Refusal | undefined {
  if (live.isBeingDeleted) {
    return refuse(
      "TARGET_BEING_DELETED",
      "A finalizer holds the deleted Secret. Once it is gone the next sweep writes it.",
    );
  }
  if (live.controller !== undefined) {
    return refuse(
      "TARGET_OWNED_BY_CONTROLLER",
      `${toldName(live.controller.kind)} ${toldName(live.controller.name)} reconciles this Secret and would write over ours. ${ADVICE_BY_OWNER.get(live.controller.kind) ?? "Remove that owner"}, then set adopt: true on the binding.`,
    );
  }
  const isKept = live.managedFields.some(isOurs);
  if (!isKept && !adopt) {
    if (live.labels[EXTERNAL_SECRETS_LABEL] === "true") {
      return refuse(
        "TARGET_OWNED_BY_EXTERNAL_SECRETS",
        "External Secrets Operator keeps this Secret. Set creationPolicy: Orphan on its ExternalSecret, then adopt: true on the binding, then delete the ExternalSecret.",
      );
    }
    // A key of ours that somebody else owns is still theirs: the API server refuses it at the apply.
    if (ownership !== "keys") {
      return refuse(
        "TARGET_NOT_OURS",
        "Somebody else made this Secret. Set adopt: true on the binding to take it over, ownership: keys to add keys to it, or choose another name.",
      );
    }
  }
  if (live.type !== type) {
    return refuse(
      "TARGET_TYPE_DIFFERS",
      `The Secret has type ${toldName(live.type)}, the binding wants ${type}, and Kubernetes never changes a type. Correct the binding's type, or delete the Secret so that it is made anew.`,
    );
  }
  return undefined;
}

function changesBetween(live: LiveSecret, desired: DesiredSecret): Change[] {
  const ours = fieldsAppliedByUs(live.managedFields);
  const changes: Change[] = [];
  const compare = (field: FieldPath, isThere: boolean, isEqual: boolean): void => {
    if (!isThere) changes.push({ field, what: "added" });
    else if (!isEqual) changes.push({ field, what: "changed" });
    // Equal, but somebody else wrote it last: applying it makes it ours again, so that its removal is ours to do too.
    else if (!ours.has(field)) changes.push({ field, what: "taken back" });
  };
  for (const [key, value] of desired.data) {
    const found = live.data.get(key);
    compare(dataField(key), found !== undefined, found?.equals(value) === true);
  }
  for (const [key, value] of Object.entries(desired.labels)) {
    compare(labelField(key), Object.hasOwn(live.labels, key), live.labels[key] === value);
  }
  for (const [key, value] of Object.entries(desired.annotations)) {
    compare(annotationField(key), Object.hasOwn(live.annotations, key), live.annotations[key] === value);
  }
  if (desired.isImmutable) compare(IMMUTABLE_FIELD, live.immutable, live.immutable);
  // Its value is the time of the apply, so it is never compared; but it must be there, and ours.
  const writtenAt = annotationField(ANNOTATIONS.writtenAt);
  if (!ours.has(writtenAt)) changes.push({ field: writtenAt, what: "added" });
  return [...changes, ...removalsFrom(ours, desired)];
}

/** What we applied once and the binding no longer wants; server-side apply removes it because we leave it out. */
function removalsFrom(ours: ReadonlySet<FieldPath>, desired: DesiredSecret): Change[] {
  const wanted = new Set<FieldPath>([
    ...[...desired.data.keys()].map(dataField),
    ...Object.keys(desired.labels).map(labelField),
    ...Object.keys(desired.annotations).map(annotationField),
    annotationField(ANNOTATIONS.writtenAt),
    annotationField(NOTICE_ANNOTATION), // comes and goes with the data, and is no reason to write
    "type",
    ...(desired.isImmutable ? [IMMUTABLE_FIELD] : []),
  ]);
  const removed = [...ours].filter((field) => !wanted.has(field));
  return removed
    .slice(0, REMOVALS_TOLD_MAX)
    .map((field) => ({ field: toldName(field, FIELD_MAX), what: "removed" }));
}

// The ledger is forgeable by whoever may write the Secret. The apply removes all of it, whatever is told.
const REMOVALS_TOLD_MAX = 500;
/** `metadata.annotations.`, and the longest name that Kubernetes takes there: a prefix of 253, a slash and 63. */
const FIELD_MAX = 21 + 317;

function refuse(code: RefusalCode, advice: string): Refusal {
  return { kind: "refuse", code, advice };
}

/** External Secrets Operator puts it on every Secret that it owns (2.9.0). */
const EXTERNAL_SECRETS_LABEL = "reconcile.external-secrets.io/managed";

const ADVICE_BY_OWNER: ReadonlyMap<string, string> = new Map([
  ["ExternalSecret", "Set creationPolicy: Orphan on it"],
]);
