import type { KeyRename } from "../bindings/binding.ts";

/**
 * The string that each `*` of the pattern matches, from the left and as short as possible; undefined if the pattern does
 * not match. Without a regular expression, the worst case is the product of both lengths.
 */
export function matchPattern(pattern: string, text: string): string[] | undefined {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === pattern ? [] : undefined;
  if (!text.startsWith(first)) return undefined;
  const end = text.length - last.length;
  let at = first.length;
  const parts: string[] = [];
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return undefined;
    parts.push(text.slice(at, found));
    at = found + piece.length;
  }
  if (end < at || !text.endsWith(last)) return undefined;
  return [...parts, text.slice(at, end)];
}

export const matchesAny = (patterns: readonly string[], text: string): boolean =>
  patterns.some((pattern) => matchPattern(pattern, text) !== undefined);

/** The name after the first rename whose pattern matches. */
export function renameKey(renames: readonly KeyRename[], key: string): string {
  for (const { pattern, to } of renames) {
    const parts = matchPattern(pattern, key);
    if (parts === undefined) continue;
    const left = [...parts];
    return to.replaceAll("*", () => left.shift() ?? "");
  }
  return key;
}
