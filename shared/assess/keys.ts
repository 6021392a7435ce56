import type { Binding } from "../bindings/binding.ts";
import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata, LiveSecret } from "../cluster/live-secret.ts";
import {
  appliedFields,
  dataField,
  type FieldPath,
  isApplyOf,
  keyOfField,
  type ManagedFieldsEntry,
} from "../cluster/managed-fields.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import { isDataKey } from "../render/is-data-key.ts";
import type { ForeignKey } from "./verdict.ts";

/** The data keys that the relay applied, from the annotation of the Secret. */
export function notedKeys(
  { annotations }: Pick<LiveMetadata, "annotations">,
  ownMetadata: RelayMetadata,
): string[] {
  return [...new Set((annotations[ownMetadata.annotations.keys] ?? "").split(","))].filter(isDataKey);
}

/** The keys of a Secret that are not in the binding. None under `ownership: keys`, where other keys do not matter. */
export type UnwantedKeys = {
  /** Written by the relay before, owned by a previous operator, or foreign under `foreignKeys: remove`. */
  readonly removed: readonly string[];
  /** The removed keys that another manager owns: their ownership moves first. */
  readonly disowned: readonly string[];
  /** All foreign keys, for the report. */
  readonly foreign: readonly ForeignKey[];
};

export function unwantedKeys(
  live: LiveMetadata | LiveSecret,
  binding: Pick<Binding, "ownership" | "foreignKeys">,
  ownMetadata: RelayMetadata,
  wanted?: ReadonlySet<string>,
): UnwantedKeys {
  if (binding.ownership === "keys") return NONE;
  const owners = ownersByKey(live.managedFields, ownMetadata);
  if (owners.size === 0 && !("data" in live)) return NONE; // as for most Secrets of a sweep by metadata
  const applied = appliedFields(live.managedFields, ownMetadata.fieldManager);
  const noted = new Set(notedKeys(live, ownMetadata));
  // Metadata shows only keys with an owner in managedFields; the values show all of them.
  const present = "data" in live ? new Set(live.data.keys()) : new Set([...owners.keys(), ...noted]);
  const removed: string[] = [];
  const disowned: string[] = [];
  const foreign: ForeignKey[] = [];
  for (const key of present) {
    const isOurs = noted.has(key) || applied.has(dataField(key));
    if (wanted === undefined ? isOurs : wanted.has(key)) continue;
    const others = owners.get(key) ?? [];
    const isForeign = !isOurs;
    const isPreviousOperators = others.some(isPreviousOperator);
    if (isForeign) {
      const [manager] = others;
      foreign.push({ key: sanitizeName(key), ...(manager && { manager: sanitizeName(manager.manager) }) });
    }
    if (isForeign && !isPreviousOperators && binding.foreignKeys !== "remove") continue;
    removed.push(key);
    if (others.length > 0 || !applied.has(dataField(key))) disowned.push(key);
  }
  return { removed, disowned, foreign: foreign.slice(0, FOREIGN_KEYS_SHOWN_MAX) };
}

const NONE: UnwantedKeys = { removed: [], disowned: [], foreign: [] };

/** Whether the next write removes keys. */
export function removesForeignKeys(
  live: LiveMetadata,
  binding: Pick<Binding, "ownership" | "foreignKeys">,
  ownMetadata: RelayMetadata,
): boolean {
  return unwantedKeys(live, binding, ownMetadata).removed.length > 0;
}

/** The fields that a previous operator still owns. */
export function fieldsOfPreviousOperator({
  managedFields,
}: Pick<LiveMetadata, "managedFields">): ReadonlySet<FieldPath> {
  return new Set(managedFields.filter(isPreviousOperator).flatMap((entry) => [...entry.fields]));
}

/** External Secrets Operator writes as `externalsecrets.external-secrets.io/<ExternalSecret>` (measured on 2.9.0). */
function isPreviousOperator({ manager }: Pick<ManagedFieldsEntry, "manager">): boolean {
  return manager === "external-secrets" || manager.startsWith("externalsecrets.external-secrets.io");
}

function ownersByKey(
  managedFields: LiveMetadata["managedFields"],
  { fieldManager }: RelayMetadata,
): Map<string, ManagedFieldsEntry[]> {
  const owners = new Map<string, ManagedFieldsEntry[]>();
  for (const entry of managedFields) {
    if (isApplyOf(entry, fieldManager)) continue;
    for (const field of entry.fields) {
      const key = keyOfField(field);
      if (key === undefined) continue;
      const known = owners.get(key);
      if (known === undefined) owners.set(key, [entry]);
      else known.push(entry);
    }
  }
  return owners;
}

/** A forged list of names would fill logs and reports. */
const FOREIGN_KEYS_SHOWN_MAX = 100;
