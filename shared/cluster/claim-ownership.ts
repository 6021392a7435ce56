type Tree = { readonly [name: string]: Tree };
type RawEntry = { manager?: string; operation?: string; time?: unknown; fieldsV1?: Tree };

export type ClaimedFields = {
  readonly keys: readonly string[];
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
};

/**
 * managedFields in which this relay's Apply entry alone owns these fields. What a former relay applied besides, such as
 * labels of its binding, becomes this relay's too: the next apply keeps or removes it. Pure.
 *
 * Server-side apply removes a field only when the manager that leaves it out owned it alone. After a takeover the
 * previous manager's entry still co-owns every key, so a dropped key would stay for ever (measured on kube-apiserver
 * 1.36.3). The API server takes this list from a merge patch of the metadata; no data travels.
 */
export function claimOwnership(
  managedFields: readonly object[],
  fields: ClaimedFields,
  fieldManager: string,
  { former, now }: { readonly former?: string; readonly now: number },
): readonly object[] {
  const wanted = treeOf(fields);
  const isApply = ({ operation }: RawEntry) => operation === "Apply";
  const isOwn = (entry: RawEntry) => isApply(entry) && entry.manager === fieldManager;
  const isFormer = (entry: RawEntry) => isApply(entry) && entry.manager === former && !isOwn(entry);
  const entries = managedFields as readonly RawEntry[];
  const inherited = entries.filter(isFormer).map(({ fieldsV1 = {} }) => fieldsV1);
  const made = {
    manager: fieldManager,
    operation: "Apply",
    apiVersion: "v1",
    time: new Date(now).toISOString().replace(/\.\d+Z$/, "Z"),
    fieldsType: "FieldsV1",
  };
  const own: RawEntry = entries.find(isOwn) ?? made;
  const rest = entries.flatMap((entry): RawEntry[] => {
    if (isOwn(entry) || isFormer(entry)) return [];
    const left = without(entry.fieldsV1 ?? {}, wanted);
    return isEmpty(left) ? [] : [{ ...entry, fieldsV1: left }];
  });
  return [...rest, { ...own, fieldsV1: [...inherited, wanted].reduce(union, own.fieldsV1 ?? {}) }];
}

function treeOf({ keys, labels = [], annotations = [] }: ClaimedFields): Tree {
  const leaves = (names: readonly string[]): Tree =>
    Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
  // An empty map would be a leaf, and so a claim on the whole map.
  return withoutEmpty({
    "f:data": leaves(keys),
    "f:metadata": withoutEmpty({ "f:annotations": leaves(annotations), "f:labels": leaves(labels) }),
  });
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
      const gone = removed[name];
      if (gone === undefined) return [[name, below]];
      const left = without(below, gone);
      return isEmpty(left) ? [] : [[name, left]];
    }),
  );
}

/** `.` is the map itself. */
const isEmpty = (tree: Tree): boolean => Object.keys(tree).every((name) => name === ".");
