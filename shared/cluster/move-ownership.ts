import type { FieldPath } from "./managed-fields.ts";

type RawEntry = { manager?: string; operation?: string; time?: unknown; fieldsV1?: Record<string, unknown> };

/**
 * managedFields in which one manager's Apply entry owns these data fields and no other entry does.
 *
 * Server-side apply removes a field only when the manager that leaves it out owned it alone. After a takeover the
 * previous manager's entry still co-owns every key, so a dropped key would stay for ever (measured on kube-apiserver
 * 1.36.3). The API server takes this list from a merge patch of the metadata; no data travels.
 */
export function moveOwnership(
  managedFields: readonly object[],
  fields: readonly FieldPath[],
  fieldManager: string,
  now: number,
): readonly object[] {
  const names = fields.map((field) => `f:${field.slice("data.".length)}`);
  const moved = new Set(names);
  const isOwn = ({ manager, operation }: RawEntry) => manager === fieldManager && operation === "Apply";
  const entries = (managedFields as readonly RawEntry[]).flatMap((entry): RawEntry[] => {
    if (isOwn(entry)) return [withFields(entry, names)];
    const left = without(entry, moved);
    return left === undefined ? [] : [left];
  });
  if (entries.some(isOwn)) return entries;
  const own = { manager: fieldManager, operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1" };
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  return [...entries, withFields({ ...own, time, fieldsV1: {} }, names)];
}

function withFields(entry: RawEntry, names: readonly string[]): RawEntry {
  const data = entry.fieldsV1?.["f:data"] as object | undefined;
  const added = Object.fromEntries(names.map((name) => [name, {}]));
  return { ...entry, fieldsV1: { ...entry.fieldsV1, "f:data": { ...data, ...added } } };
}

/** Undefined when nothing of the entry is left. */
function without(entry: RawEntry, moved: ReadonlySet<string>): RawEntry | undefined {
  const { "f:data": data, ...rest } = entry.fieldsV1 ?? {};
  if (typeof data !== "object" || data === null) return entry;
  const left = Object.entries(data).filter(([name]) => !moved.has(name));
  const isEmpty = left.every(([name]) => name === "."); // `.` is the map itself
  if (isEmpty && Object.keys(rest).length === 0) return undefined;
  return { ...entry, fieldsV1: isEmpty ? rest : { ...rest, "f:data": Object.fromEntries(left) } };
}
