import { isFields, pathTo } from "./fields.ts";

/**
 * The path of the first text that only Helm can have meant: one with `.Values` and the like, or with `{{` in a literal,
 * by which a chart keeps an action for the operator. To the operator such a literal is text, and not a variable.
 */
export function findHelmTemplate(value: unknown, path: string): string | undefined {
  return find(value, path, new Set());
}

/** Aliases of YAML may lead to an object many times, or into itself. */
function find(value: unknown, path: string, seen: Set<unknown>): string | undefined {
  if (typeof value === "string") return HELM.test(value) ? path : undefined;
  if (seen.has(value)) return undefined;
  seen.add(value);
  for (const [place, child] of childrenOf(value, path)) {
    const found = find(child, place, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

function childrenOf(value: unknown, path: string): (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.map((item, index) => [`${path}[${index}]`, item]);
  return isFields(value) ? Object.entries(value).map(([name, item]) => [pathTo(path, name), item]) : [];
}

const HELM =
  /\{\{-?\s*(?:"(?:[^"\\]|\\.)*\{\{|`[^`]*\{\{|\$?\.(?:Values|Release|Chart|Capabilities)\.|(?:include|tpl)\s)/;
