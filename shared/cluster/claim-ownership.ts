type Tree = { readonly [name: string]: Tree };
type RawEntry = {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: unknown;
  fieldsType?: string;
  fieldsV1?: Tree;
};

export type ClaimedFields = {
  readonly keys: readonly string[];
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
  readonly type?: boolean;
};

/**
 * managedFields in which only this relay's Apply entry owns these fields. Fields that only the former relay applied,
 * such as labels of its binding, move to this relay as well: the next apply keeps or removes them. Pure.
 *
 * Server-side apply removes a field only when the manager that leaves it out is the sole owner. After a takeover the
 * previous manager's entry still co-owns every key, so the API server would never remove a dropped key (measured on
 * kube-apiserver 1.36.3). It accepts this list in a merge patch of the metadata, without data.
 */
export function claimOwnership(
  managedFields: readonly object[],
  fields: ClaimedFields,
  fieldManager: string,
  { former, now }: { readonly former?: string; readonly now: number },
): readonly object[] {
  const claimed = treeOf(fields);
  const isApply = ({ operation }: RawEntry) => operation === "Apply";
  const isOwn = (entry: RawEntry) => isApply(entry) && entry.manager === fieldManager;
  const isFormer = (entry: RawEntry) => isApply(entry) && entry.manager === former && !isOwn(entry);
  const entries = managedFields as readonly RawEntry[];
  const inherited = entries.filter(isFormer).map(({ fieldsV1 = {} }) => fieldsV1);
  const own: RawEntry = entries.find(isOwn) ?? {
    manager: fieldManager,
    operation: "Apply",
    apiVersion: "v1",
    time: new Date(now).toISOString().replace(/\.\d+Z$/, "Z"),
    fieldsType: "FieldsV1",
  };
  const rest = entries.flatMap((entry): RawEntry[] => {
    if (isOwn(entry) || isFormer(entry)) return [];
    const fieldsV1 = without(entry.fieldsV1 ?? {}, claimed);
    return isEmpty(fieldsV1) ? [] : [{ ...entry, fieldsV1 }];
  });
  return [...rest, { ...own, fieldsV1: [...inherited, claimed].reduce(union, own.fieldsV1 ?? {}) }];
}

export function claimsAny(fields: ClaimedFields): boolean {
  return !isEmpty(treeOf(fields));
}

function treeOf({ keys, labels = [], annotations = [], type = false }: ClaimedFields): Tree {
  const leaves = (names: readonly string[]): Tree =>
    Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
  // An empty map counts as a leaf, and would claim the whole map.
  const maps = withoutEmpty({
    "f:data": leaves(keys),
    "f:metadata": withoutEmpty({ "f:annotations": leaves(annotations), "f:labels": leaves(labels) }),
  });
  return type ? { ...maps, "f:type": {} } : maps;
}

const withoutEmpty = (tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([, below]) => !isEmpty(below)));

function union(one: Tree, other: Tree): Tree {
  const merged: Record<string, Tree> = { ...one };
  for (const [name, tree] of Object.entries(other)) merged[name] = union(merged[name] ?? {}, tree);
  return merged;
}

function without(tree: Tree, removed: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([name, below]): [string, Tree][] => {
      const removedBelow = removed[name];
      if (removedBelow === undefined) return [[name, below]];
      const remaining = without(below, removedBelow);
      return isEmpty(remaining) ? [] : [[name, remaining]];
    }),
  );
}

/** `.` stands for the map itself. */
const isEmpty = (tree: Tree): boolean => Object.keys(tree).every((name) => name === ".");
