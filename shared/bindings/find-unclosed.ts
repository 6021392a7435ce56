import type { CST } from "yaml";

/** A bracket or quote that is never closed. */
export type Unclosed = { readonly mark: string; readonly closing: string; readonly offset: number };

/**
 * The innermost bracket or quote that is never closed in a token of the parser. The parser itself reports the next line,
 * as wrongly indented, or the end of the file. Undefined when all are closed. Pure.
 */
export function findUnclosed(token: CST.Token | null | undefined, depth = 0): Unclosed | undefined {
  if (token === null || token === undefined || depth > DEPTH_MAX) return undefined;
  if ("items" in token) {
    for (const { key, value } of token.items as CST.CollectionItem[]) {
      const inner = findUnclosed(key, depth + 1) ?? findUnclosed(value, depth + 1);
      if (inner !== undefined) return inner;
    }
  }
  if (token.type === "flow-collection") {
    const mark = token.start.source;
    const closing = mark === "[" ? "]" : "}";
    const isClosed = token.end.some(({ source }) => source === closing);
    return isClosed ? undefined : { mark, closing, offset: token.start.offset };
  }
  if (token.type === "single-quoted-scalar" || token.type === "double-quoted-scalar") {
    const { source, offset } = token;
    const mark = source.charAt(0);
    const isClosed = source.length > 1 && (mark === '"' ? /[^\\](\\\\)*"$/ : /'$/).test(source);
    return isClosed ? undefined : { mark, closing: mark, offset };
  }
  return undefined;
}

/** Brackets deeper than this are reported as nested too deeply. */
const DEPTH_MAX = 64;
