type Tree = { readonly [name: string]: Tree };
type RawEntry = { manager?: string; operation?: string; time?: unknown; fieldsV1?: Tree };

export type ClaimedFields = {
  readonly keys: readonly string[];
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
};

/**
 * managedFields in which this relay's Apply entry alone owns these fields. What a former relay applied besides, such as
 * labels of its binding, becomes this relay's too: the next apply keeps or removes it. Pure.
 */
export function claimOwnership(
  managedFields: readonly object[],
  fields: ClaimedFields,
  fieldManager: string,
  { former, now }: { readonly former?: string; readonly now: number },
): readonly object[] {
  const wanted = treeOf(fields);
  const isOwn = ({ manager, operation }: RawEntry) => manager === fieldManager && operation === "Apply";
  const isFormer = ({ manager, operation }: RawEntry) => manager === former && operation === "Apply";
  const entries = managedFields as readonly RawEntry[];
  const taken = entries
    .filter((entry) => isOwn(entry) || isFormer(entry))
    .map(({ fieldsV1 = {} }) => fieldsV1);
  const rest = entries.flatMap((entry): RawEntry[] => {
    if (isOwn(entry) || isFormer(entry)) return [];
    const left = without(entry.fieldsV1 ?? {}, wanted);
    return isEmpty(left) ? [] : [{ ...entry, fieldsV1: left }];
  });
  const own = {
    manager: fieldManager,
    operation: "Apply",
    apiVersion: "v1",
    time: new Date(now).toISOString().replace(/\.\d+Z$/, "Z"),
    fieldsType: "FieldsV1",
    fieldsV1: [...taken, wanted].reduce(union, {}),
  };
  return [...rest, own];
}

function treeOf({ keys, labels, annotations }: ClaimedFields): Tree {
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
