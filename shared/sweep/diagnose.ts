import type { Binding, TargetRef } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
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
import { toldName } from "../cluster/told-name.ts";
import { annotatedVersions, dataVersionOf } from "../render/data-version.ts";
import { isDataKey } from "../render/is-data-key.ts";
import { ANNOTATIONS, MANAGED_LABEL, SOURCE_VERSIONS_ANNOTATION } from "../render/ownership-marks.ts";
import type { SourceState } from "../source/source-state.ts";
import { type RefusalCode, refusalByMetadata } from "../sync/plan.ts";
import type { Diagnosis, FindingCode, FindingDetails, TamperedField } from "./finding.ts";

/** A source that could be looked at. */
export type KnownSource = Exclude<SourceState, { kind: "unreadable" }>;

/** One for each source of a binding, in its order. */
export type KnownSources = readonly KnownSource[];

/**
 * What is wrong with one target, from metadata alone; undefined when nothing is. Pure.
 *
 * Three things are compared: the current VersionId of each source with the one that we annotated, the binding's
 * fingerprint with the annotated one, and managedFields with what we apply: an ordinary write by anybody else takes a field out of
 * our entry there.
 */
export function diagnoseTarget(
  binding: Binding,
  live: LiveMetadata | undefined,
  sources: KnownSources,
  now: number,
): Diagnosis | undefined {
  const found = (
    code: FindingCode,
    remedy: Diagnosis["remedy"],
    details: FindingDetails = {},
  ): Diagnosis => ({
    code,
    target: binding.target,
    source: nameOfSources(binding),
    details,
    remedy,
  });
  const gone = diagnoseGone(binding, live, sources);
  if (gone !== undefined) return gone;
  const current = sources.filter((source) => source.kind === "current");
  const currentVersionId = dataVersionOf(current.map(({ versionId }) => versionId));
  if (live === undefined) return found("MISSING", "repair", { currentVersionId });
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
    return found("MISSING", "repair", { currentVersionId });
  }
  if (!wasOurs) return found("NOT_OURS", "repair");

  const stale = staleDetails(binding, live, current, now);
  if (stale !== undefined) return found("STALE", "repair", stale);
  const fingerprint = live.annotations[ANNOTATIONS.bindingFingerprint];
  if (fingerprint !== undefined && fingerprint !== binding.fingerprint) {
    return found("FINGERPRINT_CHANGED", "repair");
  }
  const fields = tamperedFields(binding, live);
  if (fields.length > 0) return found("TAMPERED", "repair", { fields });
  const deprecated =
    binding.sources[sources.findIndex((each) => each.kind === "current" && each.isDeprecated)];
  return deprecated && { ...found("VERSION_DEPRECATED", "none"), source: deprecated.id };
}

/** What a source that can't be taken from means for the target; undefined when all of them can. */
function diagnoseGone(
  binding: Binding,
  live: LiveMetadata | undefined,
  sources: KnownSources,
): Diagnosis | undefined {
  const isAny = (kind: KnownSource["kind"]) => sources.some((source) => source.kind === kind);
  const found = (
    code: FindingCode,
    kind: KnownSource["kind"],
    remedy: Diagnosis["remedy"] = "none",
  ): Diagnosis => {
    const concerned = binding.sources.filter((_source, index) => sources[index]?.kind === kind);
    const source = [...new Set(concerned.map(({ id }) => id))].join(", ");
    return { code, target: binding.target, source, details: {}, remedy };
  };
  if (isAny("missing")) {
    const isDeletable =
      live !== undefined &&
      isKeptByUs(live) &&
      binding.deletionPolicy === "delete" &&
      binding.ownership !== "keys" &&
      // What the others hold is still wanted.
      sources.every(({ kind }) => kind === "missing");
    return found("SOURCE_MISSING", "missing", isDeletable ? "delete" : "none");
  }
  // A secret that can still be restored is not gone: its Secrets stay until it is.
  if (isAny("scheduled-for-deletion"))
    return found("SOURCE_SCHEDULED_FOR_DELETION", "scheduled-for-deletion");
  return isAny("version-missing") ? found("VERSION_MISSING", "version-missing") : undefined;
}

type CurrentState = Extract<KnownSource, { kind: "current" }>;

/** A Secret that was made from other sources than today's tells so by its fingerprint. */
function staleDetails(
  binding: Binding,
  { annotations }: LiveMetadata,
  current: readonly CurrentState[],
  now: number,
): FindingDetails | undefined {
  const liveVersionIds = annotatedVersions(annotations, binding.sources.length);
  if (liveVersionIds === undefined) return undefined;
  const stale = binding.sources.flatMap((source, index) => {
    const [state, liveVersionId] = [current[index], liveVersionIds[index]];
    if (state === undefined || liveVersionId === undefined || state.versionId === liveVersionId) return [];
    const { versionId: currentVersionId, changedAt } = state;
    return [{ source: source.id, liveVersionId: toldName(liveVersionId), currentVersionId, changedAt }];
  });
  const [first] = stale;
  if (first === undefined) return undefined;
  const changes = stale.flatMap(({ changedAt }) => (changedAt === undefined ? [] : [changedAt]));
  const { liveVersionId, currentVersionId } = first;
  return {
    liveVersionId,
    currentVersionId,
    ...(changes.length > 0 && { staleMs: Math.max(0, now - Math.min(...changes)) }),
    ...(binding.sources.length > 1 && {
      staleSources: stale.map(({ changedAt: _changedAt, ...each }) => each),
    }),
  };
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
    source: toldName(live.annotations[ANNOTATIONS.source] ?? "", SOURCES_TOLD_MAX),
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

/** The ARNs of some ten sources. */
const SOURCES_TOLD_MAX = 2_048;

/** Of more fields than that a person reads none, and a forged list of names would fill logs and reports. */
const FIELDS_TOLD_MAX = 100;

/** The names of the data keys that we applied, as far as they can be names. */
function keysToldBy({ annotations }: LiveMetadata): string[] {
  return [...new Set((annotations[ANNOTATIONS.keys] ?? "").split(","))].filter(isDataKey);
}

function tamperedFields(binding: Binding, live: LiveMetadata): TamperedField[] {
  const ours = fieldsAppliedByUs(live.managedFields);
  const data = keysToldBy(live)
    .map(dataField)
    .filter((field) => !ours.has(field));
  const labels = Object.entries({ ...binding.labels, [MANAGED_LABEL]: "true" })
    .filter(([key, value]) => live.labels[key] !== value || !ours.has(labelField(key)))
    .map(([key]) => labelField(key));
  const own = [
    ...Object.values(ANNOTATIONS),
    ...(binding.sources.length > 1 ? [SOURCE_VERSIONS_ANNOTATION] : []),
  ];
  const annotations = [...Object.keys(binding.annotations), ...own]
    .filter((key) => {
      const wanted = binding.annotations[key];
      const isWrong = wanted !== undefined && live.annotations[key] !== wanted;
      return isWrong || !ours.has(annotationField(key));
    })
    .map(annotationField);
  return [...data.slice(0, FIELDS_TOLD_MAX), ...labels, ...annotations].map((field) =>
    describeField(live, field),
  );
}

function takenFields(live: LiveMetadata): TamperedField[] {
  return keysToldBy(live)
    .slice(0, FIELDS_TOLD_MAX)
    .map((key) => describeField(live, dataField(key)));
}

/** Somebody who changed a field owns it now; a field that nobody owns is gone, and nobody can be named. */
function describeField(live: LiveMetadata, field: FieldPath): TamperedField {
  const [owner] = otherManagersOf(live.managedFields, field);
  if (owner === undefined) return { field, what: "removed" };
  return {
    field,
    what: fieldsAppliedByUs(live.managedFields).has(field) ? "taken" : "changed",
    manager: toldName(owner.manager),
    ...(owner.writtenAt !== undefined && { at: owner.writtenAt.toISOString() }),
  };
}
