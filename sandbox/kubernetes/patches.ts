import { isDeepStrictEqual } from "node:util";
import { type Fields, isFields } from "./object.ts";
import { ApiStatus, badRequest } from "./status.ts";

/** RFC 7386. For a Secret a strategic merge patch means the same, since nothing in it has a merge key. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const merged: Fields = { ...(isFields(target) ? target : {}) };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = mergePatch(merged[field], value);
  }
  return merged;
}

/** RFC 6902. The real server does not say which operation failed, nor why. */
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
