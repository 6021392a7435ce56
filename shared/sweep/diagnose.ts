import type { Binding, TargetRef } from "../bindings/binding.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import {
  annotationField,
  dataField,
  type FieldPath,
  fieldsAppliedByUs,
  isOurs,
  labelField,
  otherManagersOf,
} from "../cluster/managed-fields.ts";
import { ANNOTATIONS, MANAGED_LABEL } from "../render/ownership-marks.ts";
import type { SourceState } from "../source/source-state.ts";
import { type RefusalCode, refusalByMetadata } from "../sync/plan.ts";
import type { Diagnosis, FindingCode, FindingDetails, TamperedField } from "./finding.ts";

/** A source that could be looked at. */
export type KnownSource = Exclude<SourceState, { kind: "unreadable" }>;

/**
 * What is wrong with one target, from metadata alone; undefined when nothing is. Pure.
 *
 * Three things are compared: the VersionId under AWSCURRENT with the one that we annotated, the binding's fingerprint
 * with the annotated one, and managedFields with what we apply: an ordinary write by anybody else takes a field out of
 * our entry there.
 */
export function diagnoseTarget(
  binding: Binding,
  live: LiveMetadata | undefined,
  source: KnownSource,
  now: number,
): Diagnosis | undefined {
  const found = (
    code: FindingCode,
    remedy: Diagnosis["remedy"],
    details: FindingDetails = {},
  ): Diagnosis => ({
    code,
    target: binding.target,
    source: binding.source.id,
    details,
    remedy,
  });
  if (source.kind !== "current") {
    const isDeletable =
      live !== undefined &&
      isKeptByUs(live) &&
      binding.deletionPolicy === "delete" &&
      binding.ownership !== "keys";
    // A secret that can still be restored is not gone: its Secrets stay until it is.
    return source.kind === "missing"
      ? found("SOURCE_MISSING", isDeletable ? "delete" : "none")
      : found("SOURCE_SCHEDULED_FOR_DELETION", "none");
  }
  if (live === undefined) return found("MISSING", "repair", { currentVersionId: source.versionId });
  const applied = fieldsAppliedByUs(live.managedFields);
  const ownsData = [...applied].some((field) => field.startsWith("data."));
  const wasOurs = live.annotations[ANNOTATIONS.versionId] !== undefined || applied.size > 0;
  const isTakenOver = wasOurs && !ownsData;
  // The planner's own word, so that sweep and rotation never disagree.
  const refusal = refusalByMetadata(live, binding.type, binding);
  if (refusal !== undefined) {
    const { code, advice } = refusal;
    const isForeign = FINDING_BY_REFUSAL[code] === "NOT_OURS";
    const finding = isForeign && isTakenOver ? "TAKEN_OVER" : FINDING_BY_REFUSAL[code];
    return { ...found(finding, "none"), refusal: { code, advice } };
  }
  if (isTakenOver) return found("TAKEN_OVER", "repair", { fields: takenFields(live) });
  // In a Secret that is shared, it is only our keys that are not there yet.
  if (!wasOurs && binding.ownership === "keys") {
    return found("MISSING", "repair", { currentVersionId: source.versionId });
  }
  if (!wasOurs) return found("NOT_OURS", "repair");

  const liveVersionId = live.annotations[ANNOTATIONS.versionId];
  if (liveVersionId !== undefined && liveVersionId !== source.versionId) {
    return found("STALE", "repair", {
      liveVersionId,
      currentVersionId: source.versionId,
      ...(source.changedAt !== undefined && { staleMs: Math.max(0, now - source.changedAt) }),
    });
  }
  const fingerprint = live.annotations[ANNOTATIONS.bindingFingerprint];
  if (fingerprint !== undefined && fingerprint !== binding.fingerprint) {
    return found("FINGERPRINT_CHANGED", "repair");
  }
  const fields = tamperedFields(binding, live);
  return fields.length > 0 ? found("TAMPERED", "repair", { fields }) : undefined;
}

export const FINDING_BY_REFUSAL: Readonly<Record<RefusalCode, FindingCode>> = {
  TARGET_BEING_DELETED: "BEING_DELETED",
  TARGET_IMMUTABLE: "IMMUTABLE",
  TARGET_NOT_OURS: "NOT_OURS",
  TARGET_OWNED_BY_CONTROLLER: "OWNED_BY_CONTROLLER",
  TARGET_OWNED_BY_EXTERNAL_SECRETS: "NOT_OURS",
  TARGET_TYPE_DIFFERS: "TYPE_DIFFERS",
};

/** A Secret with our label that no binding names. */
export function diagnoseOrphan(cluster: string, live: LiveMetadata): Diagnosis | undefined {
  if (!isKeptByUs(live) || live.isBeingDeleted) return undefined;
  return {
    code: "ORPHAN",
    target: { cluster, namespace: live.namespace, name: live.name },
    source: live.annotations[ANNOTATIONS.source] ?? "",
    details: {},
    remedy: live.annotations[ANNOTATIONS.deletionPolicy] === "delete" ? "delete" : "none",
  };
}

/** Carries our label and our field manager: the least that a Secret must have for us to delete it. */
export function isKeptByUs(live: LiveMetadata): boolean {
  return (
    live.labels[MANAGED_LABEL] === "true" && live.managedFields.some(isOurs) && live.controller === undefined
  );
}

export function nameOfSecret({ namespace, name }: Pick<TargetRef, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

function tamperedFields(binding: Binding, live: LiveMetadata): TamperedField[] {
  const ours = fieldsAppliedByUs(live.managedFields);
  const keys = (live.annotations[ANNOTATIONS.keys] ?? "").split(",").filter((key) => key !== "");
  const data = keys.map(dataField).filter((field) => !ours.has(field));
  const labels = Object.entries({ ...binding.labels, [MANAGED_LABEL]: "true" })
    .filter(([key, value]) => live.labels[key] !== value || !ours.has(labelField(key)))
    .map(([key]) => labelField(key));
  const annotations = [...Object.keys(binding.annotations), ...Object.values(ANNOTATIONS)]
    .filter((key) => {
      const wanted = binding.annotations[key];
      const isWrong = wanted !== undefined && live.annotations[key] !== wanted;
      return isWrong || !ours.has(annotationField(key));
    })
    .map(annotationField);
  return [...data, ...labels, ...annotations].map((field) => describeField(live, field));
}

function takenFields(live: LiveMetadata): TamperedField[] {
  const keys = (live.annotations[ANNOTATIONS.keys] ?? "").split(",").filter((key) => key !== "");
  return keys.map((key) => describeField(live, dataField(key)));
}

/** Somebody who changed a field owns it now; a field that nobody owns is gone, and nobody can be named. */
function describeField(live: LiveMetadata, field: FieldPath): TamperedField {
  const [owner] = otherManagersOf(live.managedFields, field);
  if (owner === undefined) return { field, what: "removed" };
  return {
    field,
    what: fieldsAppliedByUs(live.managedFields).has(field) ? "taken" : "changed",
    manager: owner.manager,
    ...(owner.writtenAt !== undefined && { at: owner.writtenAt.toISOString() }),
  };
}
