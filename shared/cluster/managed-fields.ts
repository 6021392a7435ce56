/** A leaf of a Secret that field managers can own: `data.password`, `metadata.labels.team`, `type`. */
export type FieldPath = string;

export type ManagedFieldsEntry = {
  readonly manager: string;
  /** `Apply` for server-side apply, `Update` for any other write. */
  readonly operation: string;
  readonly writtenAt?: Date;
  readonly fields: ReadonlySet<FieldPath>;
};

export type ManagedFields = readonly ManagedFieldsEntry[];

/** The shape of metadata.managedFields; client-node types `fieldsV1` as a bare object. */
type RawEntry = { manager?: string; operation?: string; time?: Date | string; fieldsV1?: object };

export function parseManagedFields(entries: readonly RawEntry[]): ManagedFields {
  return entries.map((entry) => {
    const writtenAt = new Date(entry.time ?? Number.NaN);
    return {
      manager: entry.manager ?? "",
      operation: entry.operation ?? "",
      ...(!Number.isNaN(writtenAt.getTime()) && { writtenAt }),
      fields: leavesOf(entry.fieldsV1 ?? {}),
    };
  });
}

/** The fields that this manager applied and still owns. An update by another manager removes a field from them. */
export function appliedFields(managed: ManagedFields, fieldManager: string): ReadonlySet<FieldPath> {
  return managed.find((entry) => isApplyOf(entry, fieldManager))?.fields ?? new Set();
}

/** The other managers that own a field. An update under the same name does not count as another manager. */
export function otherOwners(managed: ManagedFields, field: FieldPath, fieldManager: string): ManagedFields {
  return managed.filter((entry) => entry.manager !== fieldManager && entry.fields.has(field));
}

export function isApplyOf(entry: ManagedFieldsEntry, fieldManager: string): boolean {
  return entry.manager === fieldManager && entry.operation === "Apply";
}

export function dataField(key: string): FieldPath {
  return `data.${key}`;
}

/** `password` of `data.password`; undefined for any other field. */
export function keyOfField(field: FieldPath): string | undefined {
  return field.startsWith("data.") ? field.slice("data.".length) : undefined;
}

export function labelField(key: string): FieldPath {
  return `metadata.labels.${key}`;
}

export function annotationField(key: string): FieldPath {
  return `metadata.annotations.${key}`;
}

// fieldsV1 nests `f:<name>` objects; `.` stands for the map itself and is skipped. A sweep spends a tenth of its time
// here, so it does not build a list of the names.
function leavesOf(node: object): Set<FieldPath> {
  const leaves = new Set<FieldPath>();
  const walk = (at: object, path: FieldPath | undefined, depth: number): void => {
    let isLeaf = true;
    for (const name in at) {
      if (depth === DEPTH_MAX || !name.startsWith("f:") || !Object.hasOwn(at, name)) continue;
      isLeaf = false;
      walk((at as Record<string, object | null>)[name] ?? {}, pathBelow(path, name), depth + 1);
    }
    if (isLeaf && path !== undefined) leaves.add(path);
  };
  walk(node, undefined, 0);
  return leaves;
}

/** A Secret's fields are three levels deep. Without a limit, paths would grow with the square of the response size. */
const DEPTH_MAX = 8;

/** Most Secrets have the same few fields. Their paths are cached, which is faster and saves memory. */
function pathBelow(parent: FieldPath | undefined, name: string): FieldPath {
  const shared = SHARED_PATHS.get(parent);
  const known = shared?.get(name);
  if (known !== undefined) return known;
  const step = name.slice("f:".length);
  const path = parent === undefined ? step : `${parent}.${step}`;
  if (shared !== undefined && shared.size < SHARED_MAX && name.length <= SHARED_LENGTH_MAX) {
    shared.set(name, path);
  }
  return path;
}

const SHARED_PATHS: ReadonlyMap<FieldPath | undefined, Map<string, FieldPath>> = new Map(
  [undefined, "data", "metadata", "metadata.labels", "metadata.annotations"].map((path) => [path, new Map()]),
);

// Limits of the cache: any client with permission to write a Secret chooses names in managedFields.
const SHARED_MAX = 1_000;
const SHARED_LENGTH_MAX = 100;
