import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import {
  annotationField,
  appliedFields,
  dataField,
  type FieldPath,
  keyOfField,
  labelField,
} from "../cluster/managed-fields.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import type { DesiredSecret } from "../render/render-secret.ts";
import type { Change, KeyChange } from "./verdict.ts";

export const IMMUTABLE_FIELD: FieldPath = "immutable";
export const TYPE_FIELD: FieldPath = "type";

export function additionsOf({ data }: DesiredSecret): Change[] {
  return [...data.keys()].map((key) => ({ field: dataField(key), what: "added" }));
}

/** The changes of an apply, without values. `removedKeys` are keys that the apply removes. */
export function changesBetween(
  live: LiveSecret,
  desired: DesiredSecret,
  { annotations, fieldManager }: RelayMetadata,
  removedKeys: readonly string[],
): Change[] {
  const applied = appliedFields(live.managedFields, fieldManager);
  const changes: Change[] = [];
  const compare = (field: FieldPath, isPresent: boolean, isEqual: boolean): void => {
    if (!isPresent) changes.push({ field, what: "added" });
    else if (!isEqual) changes.push({ field, what: "changed" });
    // Equal, but last written by another manager: the apply makes the relay its owner, so that it can remove it later.
    else if (!applied.has(field)) changes.push({ field, what: "taken back" });
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
  // Its value is the time of the apply, so only its presence and owner are compared.
  const writtenAt = annotationField(annotations.writtenAt);
  if (!applied.has(writtenAt)) changes.push({ field: writtenAt, what: "added" });
  return [...changes, ...removals(applied, desired, annotations, removedKeys)];
}

/** Fields that the relay applied and the binding no longer has. */
function removals(
  applied: ReadonlySet<FieldPath>,
  desired: DesiredSecret,
  annotations: RelayMetadata["annotations"],
  removedKeys: readonly string[],
): Change[] {
  const wanted = new Set<FieldPath>([
    ...[...desired.data.keys()].map(dataField),
    ...Object.keys(desired.labels).map(labelField),
    ...Object.keys(desired.annotations).map(annotationField),
    ...[annotations.writtenAt, annotations.readersDue, annotations.takeBacks].map(annotationField), // not a reason to write
    TYPE_FIELD,
    ...(desired.isImmutable ? [IMMUTABLE_FIELD] : []),
  ]);
  const removed = new Set([...applied, ...removedKeys.map(dataField)].filter((field) => !wanted.has(field)));
  return [...removed]
    .slice(0, REMOVALS_SHOWN_MAX)
    .map((field) => ({ field: sanitizeName(field, FIELD_LENGTH_MAX), what: "removed" }));
}

// Any client with permission to write the Secret can forge managedFields. The apply removes all of them, shown or not.
const REMOVALS_SHOWN_MAX = 500;
/** `metadata.annotations.` and the longest annotation name: a prefix of 253, a slash and 63. */
const FIELD_LENGTH_MAX = 21 + 317;

/** Of the changed fields, only the data keys. */
export function keyChanges(changes: readonly Change[]): readonly KeyChange[] {
  return changes.flatMap(({ field, what }) => {
    const key = keyOfField(field);
    return key === undefined ? [] : [{ key, what }];
  });
}

/** Whether the data changes for workloads that read the Secret. */
export function touchesData(changes: readonly Change[]): boolean {
  return changes.some(({ field, what }) => keyOfField(field) !== undefined && what !== "taken back");
}
