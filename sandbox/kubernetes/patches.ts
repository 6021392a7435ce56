import { isDeepStrictEqual } from "node:util";
import type { FieldShape } from "./field-set.ts";
import { type Fields, fieldsOf, isFields } from "./object.ts";
import { ApiStatus, badRequest } from "./status.ts";

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const merged: Fields = { ...(isFields(target) ? target : {}) };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = mergePatch(merged[field], value);
  }
  return merged;
}

/** A merge patch that also merges lists by key or as sets, and supports kubectl's directives. */
export function strategicMergePatch(target: unknown, patch: unknown, shape: FieldShape): unknown {
  if (!isFields(patch)) return patch;
  const { $patch: directive, $retainKeys: retained, ...given } = patch;
  if (directive === "delete") return {};
  const merged: Fields = directive === "replace" || !isFields(target) ? {} : { ...target };
  for (const field of Object.keys(merged)) {
    if (Array.isArray(retained) && !retained.includes(field)) delete merged[field];
  }
  const orders: [field: string, order: unknown[]][] = [];
  for (const [name, value] of Object.entries(given)) {
    const [instruction, field = ""] = name.startsWith("$") ? name.split("/") : [];
    if (instruction === "$setElementOrder") orders.push([field, value as unknown[]]);
    else if (instruction === "$deleteFromPrimitiveList") {
      merged[field] = listOf(merged[field]).filter((item) => !listOf(value).includes(item));
    } else if (value === null) delete merged[name];
    else if (Array.isArray(value)) merged[name] = mergeList(merged[name], value, shape, name);
    else merged[name] = strategicMergePatch(merged[name], value, shape);
  }
  for (const [field, order] of orders) {
    if (merged[field] !== undefined) merged[field] = inOrder(listOf(merged[field]), order, shape, field);
  }
  return merged;
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** What identifies the items of a list: of several keys of server-side apply, this patch uses the first. */
function identityIn(shape: FieldShape, field: string): ((item: unknown) => unknown) | undefined {
  const keys = shape.lists[field];
  if (keys === undefined) return undefined;
  return keys === "set" ? (item) => item : (item) => fieldsOf(item)[keys[0] ?? ""];
}

function mergeList(target: unknown, patch: unknown[], shape: FieldShape, field: string): unknown[] {
  const identity = identityIn(shape, field);
  const isWhole = patch.some((item) => fieldsOf(item).$patch === "replace");
  if (!identity || isWhole) return patch.filter((item) => fieldsOf(item).$patch !== "replace");
  const merged = [...listOf(target)];
  for (const item of patch) {
    const at = merged.findIndex((present) => identity(present) === identity(item));
    if (fieldsOf(item).$patch === "delete") merged.splice(at, at < 0 ? 0 : 1);
    else if (at < 0) merged.push(strategicMergePatch(undefined, item, shape));
    else merged[at] = strategicMergePatch(merged[at], item, shape);
  }
  return merged;
}

/** In the given order; items not in it come last. */
function inOrder(items: unknown[], order: unknown[], shape: FieldShape, field: string): unknown[] {
  const identity = identityIn(shape, field);
  if (!identity) return items;
  const places = order.map(identity);
  const placeOf = (item: unknown) =>
    places.includes(identity(item)) ? places.indexOf(identity(item)) : Infinity;
  return [...items].sort((a, b) => (placeOf(a) === placeOf(b) ? 0 : placeOf(a) - placeOf(b)));
}

/** RFC 6902. The real server does not report which operation failed, nor why. */
export function jsonPatch(target: Fields, operations: unknown): Fields {
  if (!Array.isArray(operations))
    throw badRequest("error decoding patch: a JSON patch is a list of operations");
  const root = { value: structuredClone(target) as unknown };
  for (const operation of operations) runOperation(root, operation as Operation);
  return root.value as Fields;
}

type Operation = { op: string; path: string; value?: unknown; from?: string };
type Root = { value: unknown };

function runOperation(root: Root, { op, path, value, from = "" }: Operation): void {
  switch (op) {
    case "add":
      insert(root, path, value);
      return;
    case "remove":
      take(root, path);
      return;
    case "replace":
      take(root, path);
      insert(root, path, value);
      return;
    case "move":
      insert(root, path, take(root, from));
      return;
    case "copy":
      insert(root, path, structuredClone(read(root, from)));
      return;
    case "test":
      if (!isDeepStrictEqual(read(root, path), value)) throw patchRefused();
      return;
    default:
      throw badRequest(`Unexpected kind: ${op}`);
  }
}

const patchRefused = () =>
  new ApiStatus(422, "Invalid", "the server rejected our request due to an error in our request", {});

function insert(root: Root, path: string, value: unknown): void {
  const { parent, key } = locate(root, path);
  if (!parent) root.value = value;
  else if (Array.isArray(parent)) parent.splice(key === "-" ? parent.length : Number(key), 0, value);
  else parent[key] = value;
}

function take(root: Root, path: string): unknown {
  const value = read(root, path);
  const { parent, key } = locate(root, path);
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (parent) delete parent[key];
  return value;
}

function read(root: Root, path: string): unknown {
  const { parent, key } = locate(root, path);
  if (!parent) return root.value;
  const fields = parent as unknown as Fields;
  if (!(key in fields)) throw patchRefused();
  return fields[key];
}

function locate(root: Root, path: string): { parent: Fields | unknown[] | undefined; key: string } {
  const keys = path.split("/").slice(1).map(unescapePointer);
  const key = keys.pop();
  if (key === undefined) return { parent: undefined, key: "" };
  let at: unknown = root.value;
  for (const step of keys) at = isFields(at) ? at[step] : Array.isArray(at) ? at[Number(step)] : undefined;
  if (!isFields(at) && !Array.isArray(at)) throw patchRefused();
  return { parent: at, key };
}

const unescapePointer = (key: string): string => key.replaceAll("~1", "/").replaceAll("~0", "~");
