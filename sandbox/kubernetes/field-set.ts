import { isDeepStrictEqual } from "node:util";
import { type FieldsV1, isFields } from "./object.ts";

/** A path in the format of managedFields: `["f:data", "f:password"]`, `["f:metadata", "f:finalizers", 'v:"a/b"']`. */
export type FieldPath = readonly string[];

/** By field name: lists that are merged by item, and maps that are one value. Every other list is one value. */
export type FieldShape = {
  /** The keys that identify items, or "set" when the item is its own key. */
  lists: Readonly<Record<string, readonly string[] | "set">>;
  /** Maps, and items of lists, that are owned as a whole. */
  atomic: ReadonlySet<string>;
};

export class FieldSet {
  readonly #paths: ReadonlyMap<string, FieldPath>;

  constructor(paths: Iterable<FieldPath> = []) {
    this.#paths = new Map([...paths].map((path) => [keyOf(path), path]));
  }

  static fromFieldsV1(fields: FieldsV1): FieldSet {
    return new FieldSet(pathsIn(fields, []));
  }

  get isEmpty(): boolean {
    return this.#paths.size === 0;
  }

  /** In order: fields by name, then items. */
  get paths(): FieldPath[] {
    return [...this.#paths.keys()].sort().map((key) => this.#paths.get(key) ?? []);
  }

  has(path: FieldPath): boolean {
    return this.#paths.has(keyOf(path));
  }

  hasAtOrBelow(path: FieldPath): boolean {
    const below = keyOf(path) + SEPARATOR;
    return this.has(path) || this.#paths.keys().some((key) => key.startsWith(below));
  }

  union(other: FieldSet): FieldSet {
    return new FieldSet([...this.#paths.values(), ...other.#paths.values()]);
  }

  difference(other: FieldSet): FieldSet {
    return new FieldSet(this.#paths.values().filter((path) => !other.has(path)));
  }

  intersection(other: FieldSet): FieldSet {
    return new FieldSet(this.#paths.values().filter((path) => other.has(path)));
  }

  equals(other: FieldSet): boolean {
    return this.#paths.size === other.#paths.size && this.difference(other).isEmpty;
  }

  toFieldsV1(): FieldsV1 {
    const root: FieldsV1 = {};
    for (const path of this.paths) {
      let at = root;
      for (const element of path) {
        at[element] ??= {};
        at = at[element];
      }
    }
    // A field that is owned itself and in parts has a "."; if owned only itself, an empty object.
    for (const path of this.paths) if (this.#ownsBelow(path)) markSelf(root, path);
    return root;
  }

  #ownsBelow(path: FieldPath): boolean {
    const below = keyOf(path) + SEPARATOR;
    return this.#paths.keys().some((key) => key.startsWith(below));
  }
}

/** What an applied object owns: its leaves, and the items of merged lists. */
export function fieldSetOf(object: Record<string, unknown>, shape: FieldShape): FieldSet {
  const paths: FieldPath[] = [];
  const visit = (value: unknown, path: FieldPath, field: string, isItem: boolean) => {
    const children = childrenOf(value, field, shape, isItem);
    if (isItem || !children || children.length === 0) paths.push(path);
    for (const child of children ?? [])
      visit(child.value, [...path, child.element], child.field, child.isItem);
  };
  for (const child of childrenOf(object, "", shape, false) ?? []) {
    visit(child.value, [child.element], child.field, child.isItem);
  }
  return new FieldSet(paths);
}

export type Comparison = { added: FieldSet; modified: FieldSet; removed: FieldSet };

/** What a write changed. A map that is added or removed counts itself as well as its fields. */
export function compareFields(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  shape: FieldShape,
): Comparison {
  const added: FieldPath[] = [];
  const modified: FieldPath[] = [];
  const removed: FieldPath[] = [];
  const visit = (sides: Sides, path: FieldPath) => {
    const left = sides.left && childrenOf(sides.left.value, sides.left.field, shape, sides.left.isItem);
    const right = sides.right && childrenOf(sides.right.value, sides.right.field, shape, sides.right.isItem);
    if (!sides.left) added.push(path);
    else if (!sides.right) removed.push(path);
    const hasParts = (left?.length ?? 0) + (right?.length ?? 0) > 0;
    if (hasParts && isMergeable(sides.left, left) && isMergeable(sides.right, right)) {
      for (const [element, next] of pair(left ?? [], right ?? [])) visit(next, [...path, element]);
    } else if (sides.left && sides.right && !isDeepStrictEqual(sides.left.value, sides.right.value)) {
      modified.push(path);
    }
  };
  const pairs = pair(childrenOf(before, "", shape, false) ?? [], childrenOf(after, "", shape, false) ?? []);
  for (const [element, sides] of pairs) visit(sides, [element]);
  return { added: new FieldSet(added), modified: new FieldSet(modified), removed: new FieldSet(removed) };
}

/** The applied object merged into the live one: maps and keyed lists are merged, all else is replaced. */
export function mergeFields(live: unknown, applied: unknown, shape: FieldShape, field = ""): unknown {
  if (isFields(live) && isFields(applied) && !shape.atomic.has(field)) {
    const merged: Record<string, unknown> = { ...live };
    for (const [name, value] of Object.entries(applied))
      merged[name] = mergeFields(live[name], value, shape, name);
    return merged;
  }
  const children = childrenOf(applied, field, shape, false);
  if (!Array.isArray(live) || !Array.isArray(applied) || !children) return applied;
  const byElement = new Map(
    (childrenOf(live, field, shape, false) ?? []).map((item) => [item.element, item.value]),
  );
  for (const { element, value } of children) {
    const before = byElement.get(element);
    const isAtomic = shape.atomic.has(field);
    byElement.set(element, before === undefined || isAtomic ? value : mergeFields(before, value, shape));
  }
  return [...byElement.values()];
}

/** Removes paths, and containers left empty by that, except owned ones. */
export function removeFields(
  object: Record<string, unknown>,
  { paths, owned, shape }: { paths: FieldPath[]; owned: FieldSet; shape: FieldShape },
): unknown {
  const doomed = new FieldSet(paths);
  const prune = (value: unknown, path: FieldPath, field: string): unknown => {
    const children = childrenOf(value, field, shape, false);
    if (!children || !paths.some((candidate) => startsWith(candidate, path))) return value;
    const kept = children.filter((child) => !doomed.has([...path, child.element]));
    const pruned = kept.map((child) => {
      const childPath = [...path, child.element];
      return {
        ...child,
        value:
          child.isItem && shape.atomic.has(field) ? child.value : prune(child.value, childPath, child.field),
      };
    });
    const left = pruned.filter((child) => child.value !== undefined);
    if (left.length === 0 && path.length > 0 && !owned.hasAtOrBelow(path)) return undefined;
    return Array.isArray(value)
      ? left.map((child) => child.value)
      : Object.fromEntries(left.map((child) => [child.field, child.value]));
  };
  return prune(object, [], "");
}

const SEPARATOR = "\u0000";
const keyOf = (path: FieldPath): string => path.join(SEPARATOR);

type Child = { element: string; field: string; value: unknown; isItem: boolean };
type Sides = { left: Child | undefined; right: Child | undefined };

/** The parts that have separate owners; undefined for a field that is owned as a whole. */
function childrenOf(value: unknown, field: string, shape: FieldShape, isItem: boolean): Child[] | undefined {
  if (isFields(value)) {
    if (shape.atomic.has(field)) return undefined;
    return Object.entries(value).map(([name, part]) => ({
      element: `f:${name}`,
      field: name,
      value: part,
      isItem: false,
    }));
  }
  const keys = shape.lists[field];
  if (!Array.isArray(value) || !keys || isItem) return undefined;
  return value.map((item) => ({
    element: itemElement(item, keys),
    field: itemField(field, shape),
    value: item,
    isItem: true,
  }));
}

/** An item has the name of its list only when that makes it atomic. */
const itemField = (field: string, shape: FieldShape): string => (shape.atomic.has(field) ? field : "");

function itemElement(item: unknown, keys: readonly string[] | "set"): string {
  if (keys === "set") return `v:${JSON.stringify(item)}`;
  const fields = isFields(item) ? item : {};
  const present = [...keys].sort().filter((key) => fields[key] !== undefined);
  return `k:${JSON.stringify(Object.fromEntries(present.map((key) => [key, fields[key]])))}`;
}

const isMergeable = (side: Child | undefined, children: Child[] | undefined): boolean =>
  side === undefined || children !== undefined;

function pair(left: Child[], right: Child[]): Map<string, Sides> {
  const pairs = new Map<string, Sides>();
  for (const child of left) pairs.set(child.element, { left: child, right: undefined });
  for (const child of right) {
    pairs.set(child.element, { left: pairs.get(child.element)?.left, right: child });
  }
  return pairs;
}

function pathsIn(fields: FieldsV1, path: FieldPath): FieldPath[] {
  const names = Object.keys(fields);
  if (names.length === 0) return path.length > 0 ? [path] : [];
  return names.flatMap((name) => (name === "." ? [path] : pathsIn(fields[name] ?? {}, [...path, name])));
}

function markSelf(root: FieldsV1, path: FieldPath): void {
  let at = root;
  for (const element of path) at = at[element] ?? {};
  at["."] = {};
}

const startsWith = (path: FieldPath, prefix: FieldPath): boolean =>
  prefix.every((element, index) => path[index] === element);

/** As in the messages of conflicts: `.data.password`, `.metadata.ownerReferences[uid="…"]`. */
export function printPath(path: FieldPath): string {
  return path.map(printElement).join("");
}

function printElement(element: string): string {
  const content = element.slice(2);
  if (element.startsWith("f:")) return `.${content}`;
  if (element.startsWith("v:")) return `[=${content}]`;
  const keys = Object.entries(JSON.parse(content) as Record<string, unknown>);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}
