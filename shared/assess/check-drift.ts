import type { Binding } from "../bindings/binding.ts";
import { HOLD_ANNOTATION, type RelayMetadata } from "../bindings/relay-identity.ts";
import { claimsAny } from "../cluster/claim-ownership.ts";
import type { LiveMetadata, LiveSecret } from "../cluster/live-secret.ts";
import {
  annotationField,
  appliedFields,
  dataField,
  type FieldPath,
  keyOfField,
  labelField,
  otherOwners,
} from "../cluster/managed-fields.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import { RelayError } from "../relay-error.ts";
import { annotatedVersions } from "../render/data-version.ts";
import type { DesiredSecret } from "../render/render-secret.ts";
import { type FindingCode, REFUSALS } from "./catalogue.ts";
import { changesBetween, IMMUTABLE_FIELD, keyChanges, TYPE_FIELD } from "./changes.ts";
import { isAppliedBy, trackerOf } from "./check-owner.ts";
import { isContested } from "./contest.ts";
import { fieldsOfPreviousOperator, notedKeys, removesForeignKeys, unwantedKeys } from "./keys.ts";
import type { AssessRules, Observation } from "./observation.ts";
import {
  type Change,
  type FindingDetails,
  type ForeignChange,
  type Verdict,
  verdictOn,
  type WritePlan,
} from "./verdict.ts";

/** Whether the Secret differs from the binding, and how to write it. */
export function checkDrift(observation: Observation, rules: AssessRules): Verdict | undefined {
  const { binding, live: target, desired } = observation;
  if (target.kind !== "found" || desired instanceof RelayError) return undefined;
  const live = target.secret;
  const { ownMetadata } = rules;
  const drift = findDrift(observation, live, rules);
  const plan =
    desired === undefined || !("data" in live) ? undefined : planWrite(live, desired, binding, ownMetadata);
  const finding = drift?.finding ?? (plan && plan.changes.length > 0 ? "VALUE_DIFFERS" : undefined);
  // Values decide: drift in the metadata may have been repaired between the two reads.
  if (finding === undefined || (plan !== undefined && !isNeeded(plan))) return undefined;

  const details = {
    ...(finding === "VALUE_DIFFERS" && plan && { fields: plan.changes.map(foreignChangeOf) }),
    ...drift?.details,
    ...detailsOf(plan, desired),
  };
  const isEdit = EDITS.has(finding);
  const refuse = (
    code: "CONTESTED" | "FIELD_OWNED_BY_ANOTHER" | "TARGET_IMMUTABLE",
    detail: string,
  ): Verdict =>
    verdictOn(observation, {
      finding: code === "TARGET_IMMUTABLE" ? "IMMUTABLE" : finding,
      action: "refuse",
      code,
      advice: `${detail}${REFUSALS[code]}`,
      details,
    });

  if (isEdit && isContested(live, ownMetadata, rules.now)) {
    const [manager] = (details.fields ?? []).flatMap((field) => field.manager ?? []);
    return refuse("CONTESTED", manager === undefined ? "" : `Field manager: ${manager}. `);
  }
  const conflict = plan === undefined ? undefined : conflictOf(plan, live, binding, ownMetadata);
  if (conflict !== undefined) return refuse("FIELD_OWNED_BY_ANOTHER", conflict);
  const isFrozen =
    plan === undefined ? isFrozenByMetadata(live, finding, details) : isFrozenByValues(live, plan);
  if (isFrozen && !mayReplace(live, binding, ownMetadata)) return refuse("TARGET_IMMUTABLE", "");
  const write = plan && { ...plan, isTakeBack: isEdit && (drift?.details.fields ?? []).length > 0 };
  return verdictOn(observation, {
    finding,
    action: isFrozen ? "replace" : "update",
    details,
    ...(write && { write }),
  });
}

type Drift = { readonly finding: FindingCode; readonly details: FindingDetails };

/** From metadata only: versions, fingerprint, and the owners of the fields that the relay applied. */
function findDrift(
  { binding, sources }: Observation,
  live: LiveMetadata,
  { ownMetadata, now }: AssessRules,
): Drift | undefined {
  const applied = appliedFields(live.managedFields, ownMetadata.fieldManager);
  const ownsData = applied.values().some((field) => keyOfField(field) !== undefined);
  const wasOurs = live.annotations[ownMetadata.annotations.versionId] !== undefined || applied.size > 0;
  if (!wasOurs) {
    // In a shared Secret, only the relay's keys are missing.
    if (binding.ownership === "keys") return { finding: "MISSING", details: {} };
    const trackedBy = trackerOf(live);
    return { finding: "NOT_OURS", details: { ...(trackedBy !== undefined && { trackedBy }) } };
  }
  const fields = changedFields(binding, live, ownMetadata);
  const edited = fields.length > 0 ? { fields } : {};
  if (!ownsData) return { finding: "TAKEN_OVER", details: edited };
  const stale = staleDetails({ binding, sources }, live, ownMetadata, now);
  if (stale !== undefined) return { finding: "STALE", details: { ...stale, ...edited } };
  const fingerprint = live.annotations[ownMetadata.annotations.bindingFingerprint];
  if (fingerprint !== undefined && fingerprint !== binding.fingerprint) {
    return { finding: "FINGERPRINT_CHANGED", details: edited };
  }
  if (fields.length > 0) return { finding: "TAMPERED", details: { fields } };
  if (!removesForeignKeys(live, binding, ownMetadata)) return undefined;
  return {
    finding: "FOREIGN_KEYS",
    details: { foreignKeys: unwantedKeys(live, binding, ownMetadata).foreign },
  };
}

/** Two writers can overwrite each other only with these; new versions and new rules are always written. */
const EDITS: ReadonlySet<FindingCode> = new Set(["TAMPERED", "TAKEN_OVER", "VALUE_DIFFERS"]);

function isNeeded({ changes, disown }: Pick<WritePlan, "changes" | "disown">): boolean {
  return changes.length > 0 || claimsAny(disown);
}

function detailsOf(plan: PlannedWrite | undefined, desired: DesiredSecret | undefined): FindingDetails {
  if (plan === undefined) return {};
  const { collisions } = desired ?? {};
  return {
    changes: keyChanges(plan.changes),
    ...(plan.foreign.length > 0 && { foreignKeys: plan.foreign }),
    ...(collisions && { collisions }),
  };
}

type PlannedWrite = Pick<WritePlan, "changes" | "force" | "disown"> & {
  readonly foreign: NonNullable<FindingDetails["foreignKeys"]>;
};

function planWrite(
  live: Parameters<typeof changesBetween>[0],
  desired: DesiredSecret,
  binding: Binding,
  ownMetadata: RelayMetadata,
): PlannedWrite {
  const wanted = new Set(desired.data.keys());
  const { removed, disowned, foreign } = unwantedKeys(live, binding, ownMetadata, wanted);
  const changes = changesBetween(live, desired, ownMetadata, removed);
  const isWhole = binding.ownership !== "keys";
  const disown = disownFor(fieldsOfPreviousOperator(live), desired, { isWhole, disowned });
  const takesOnlyOwn = () =>
    fieldsOfOthers(changes, live, ownMetadata).every((field) =>
      wasApplied(field, live, binding, ownMetadata),
    );
  return { changes, disown, foreign, force: binding.adopt || isWhole || takesOnlyOwn() };
}

/**
 * A takeover moves every key of the previous operator to the relay, so that a later rotation can remove it; of a shared
 * Secret only the keys of the binding. So do the labels and annotations of the binding, which it may drop later.
 */
function disownFor(
  previous: ReadonlySet<FieldPath>,
  { data, labels, annotations }: DesiredSecret,
  { isWhole, disowned }: { readonly isWhole: boolean; readonly disowned: readonly string[] },
): WritePlan["disown"] {
  const keys = [...previous].flatMap((field) => keyOfField(field) ?? []);
  const taken = isWhole ? keys : keys.filter((key) => data.has(key));
  const owned = (map: Readonly<Record<string, string>>, fieldOf: (key: string) => FieldPath) =>
    Object.keys(map).filter((key) => previous.has(fieldOf(key)));
  return {
    keys: [...new Set([...disowned, ...taken])],
    labels: owned(labels, labelField),
    annotations: owned(annotations, annotationField),
    type: isWhole && previous.has(TYPE_FIELD),
  };
}

/** Changed fields that another manager owns: without force the API server refuses to write them. */
function fieldsOfOthers(
  changes: readonly Change[],
  live: LiveMetadata,
  { fieldManager }: RelayMetadata,
): readonly FieldPath[] {
  return changes.flatMap(({ field, what }) =>
    what === "changed" && otherOwners(live.managedFields, field, fieldManager).length > 0 ? [field] : [],
  );
}

function wasApplied(
  field: FieldPath,
  live: LiveMetadata,
  binding: Binding,
  ownMetadata: RelayMetadata,
): boolean {
  if (!isAppliedBy(live, ownMetadata)) return false;
  const key = keyOfField(field);
  if (key !== undefined) return notedKeys(live, ownMetadata).includes(key);
  return relayFields(binding, ownMetadata).includes(field);
}

function conflictOf(
  { changes, force }: PlannedWrite,
  live: LiveMetadata,
  binding: Binding,
  ownMetadata: RelayMetadata,
): string | undefined {
  if (force) return undefined;
  const field = fieldsOfOthers(changes, live, ownMetadata).find(
    (each) => !wasApplied(each, live, binding, ownMetadata),
  );
  if (field === undefined) return undefined;
  const [owner] = otherOwners(live.managedFields, field, ownMetadata.fieldManager);
  return `${sanitizeName(owner?.manager ?? "")} owns ${field}. `;
}

/** The edit that a change of the apply reverts. Values do not show its manager. */
function foreignChangeOf({ field, what }: Change): ForeignChange {
  return { field, what: what === "added" ? "removed" : what === "taken back" ? "taken" : "changed" };
}

/** Kubernetes changes neither the data nor the flag of an immutable Secret. */
function isFrozenByValues(live: LiveMetadata | LiveSecret, { changes }: Pick<WritePlan, "changes">): boolean {
  const isFrozenField = (field: FieldPath) => keyOfField(field) !== undefined || field === IMMUTABLE_FIELD;
  const isFrozenChange = ({ field, what }: Change) => isFrozenField(field) && what !== "taken back";
  return "immutable" in live && live.immutable && changes.some(isFrozenChange);
}

/** Metadata shows the owner of `immutable` but not its value, which is practically always true. */
function isFrozenByMetadata(
  { managedFields }: LiveMetadata,
  finding: FindingCode,
  { fields = [] }: FindingDetails,
) {
  const isImmutable = managedFields.some((entry) => entry.fields.has(IMMUTABLE_FIELD));
  const concernsData = finding === "STALE" || fields.some(({ field }) => keyOfField(field) !== undefined);
  return isImmutable && concernsData;
}

/** Only a Secret that the relay itself made immutable is deleted and recreated. */
function mayReplace(live: LiveMetadata, { immutable }: Binding, { fieldManager }: RelayMetadata): boolean {
  return immutable === "replace" && appliedFields(live.managedFields, fieldManager).has(IMMUTABLE_FIELD);
}

/** Undefined also for another number of sources: then the fingerprint differs. */
function staleDetails(
  { binding, sources }: Pick<Observation, "binding" | "sources">,
  { annotations }: LiveMetadata,
  ownMetadata: RelayMetadata,
  now: number,
): FindingDetails | undefined {
  const liveVersionIds = annotatedVersions(annotations, binding.sources.length, ownMetadata);
  if (liveVersionIds === undefined) return undefined;
  const stale = binding.sources.flatMap((source, index) => {
    const [state, liveVersionId] = [sources[index], liveVersionIds[index]];
    if (state?.kind !== "current" || liveVersionId === undefined || state.versionId === liveVersionId)
      return [];
    const { versionId: currentVersionId, changedAt } = state;
    return [{ source: source.id, liveVersionId: sanitizeName(liveVersionId), currentVersionId, changedAt }];
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

function relayFields({ labels, annotations, sources }: Binding, ownMetadata: RelayMetadata): FieldPath[] {
  const own = ownFields(ownMetadata);
  return [
    ...Object.keys(labels).map(labelField),
    own.label,
    ...Object.keys(annotations).map(annotationField),
    ...own.annotations,
    ...(sources.length > 1 ? [own.sourceVersions] : []),
  ];
}

/** Changes by other managers to fields that the relay applied. */
function changedFields(binding: Binding, live: LiveMetadata, ownMetadata: RelayMetadata): ForeignChange[] {
  const applied = appliedFields(live.managedFields, ownMetadata.fieldManager);
  const own = ownFields(ownMetadata);
  const changed: FieldPath[] = [];
  const compare = (field: FieldPath, isEqual: boolean): void => {
    if (!isEqual || !applied.has(field)) changed.push(field);
  };
  for (const key of notedKeys(live, ownMetadata)) compare(dataField(key), true);
  changed.splice(FIELDS_SHOWN_MAX);
  for (const [key, value] of Object.entries(binding.labels)) {
    compare(labelField(key), live.labels[key] === value);
  }
  compare(own.label, live.labels[ownMetadata.managedLabel] === ownMetadata.identity);
  for (const [key, value] of Object.entries(binding.annotations)) {
    compare(annotationField(key), key === HOLD_ANNOTATION || live.annotations[key] === value);
  }
  for (const field of own.annotations) compare(field, true);
  if (binding.sources.length > 1) compare(own.sourceVersions, true);
  return changed.map((field) => describeChange(live, field, ownMetadata));
}

/** The fields on every Secret of a relay. */
type OwnFields = {
  readonly label: FieldPath;
  readonly annotations: readonly FieldPath[];
  /** Only where a binding has several sources. */
  readonly sourceVersions: FieldPath;
};

function ownFields(ownMetadata: RelayMetadata): OwnFields {
  const known = OWN_FIELDS.get(ownMetadata) ?? makeOwnFields(ownMetadata);
  OWN_FIELDS.set(ownMetadata, known);
  return known;
}

/** Cached, because building these strings for thousands of Secrets took a tenth of a sweep. */
const OWN_FIELDS = new WeakMap<RelayMetadata, OwnFields>();

function makeOwnFields({ managedLabel, annotations }: RelayMetadata): OwnFields {
  const { sourceVersions, readersDue: _due, takeBacks: _backs, goneSince: _gone, ...always } = annotations;
  return {
    label: labelField(managedLabel),
    annotations: Object.values(always).map(annotationField),
    sourceVersions: annotationField(sourceVersions),
  };
}

/** A manager that changed a field owns it. A field without an owner was removed; managedFields does not say by whom. */
function describeChange(
  live: LiveMetadata,
  field: FieldPath,
  { fieldManager }: RelayMetadata,
): ForeignChange {
  const [owner] = otherOwners(live.managedFields, field, fieldManager);
  if (owner === undefined) return { field, what: "removed" };
  return {
    field,
    what: appliedFields(live.managedFields, fieldManager).has(field) ? "taken" : "changed",
    manager: sanitizeName(owner.manager),
    ...(owner.writtenAt !== undefined && { at: owner.writtenAt.toISOString() }),
  };
}

/** A forged list of names would fill logs and reports. */
const FIELDS_SHOWN_MAX = 100;
