import { FilterRefused, textOf } from "./filter-refused.ts";

/**
 * Filters on a text. Those that start with go_ are the functions of Go's templates and Sprig, byte for byte, where
 * Liquid's own filter differs for some texts.
 */
export const TEXT_FILTERS: Readonly<Record<string, (value: unknown, ...rest: unknown[]) => unknown>> = {
  text: (value) => textOf(value),
  indent: (value, spaces) => indent(textOf(value), spaces),
  trim_prefix: (value, prefix) => withoutPrefix(textOf(value), textOf(prefix)),
  trim_suffix: (value, suffix) => withoutSuffix(textOf(value), textOf(suffix)),
  split_part: (value, separator, index) => splitPart(textOf(value), textOf(separator), index),
  go_lower: (value) => mapCharacters(textOf(value), lowerCaseOf),
  go_upper: (value) => mapCharacters(textOf(value), upperCaseOf),
  go_trim: (value) => trimSpace(textOf(value)),
  go_quote: (value) => `"${mapCharacters(textOf(value).toWellFormed(), quoteCharacter)}"`,
  go_json: (value) => goJson(textOf(value)),
};

const SPACES_MAX = 1_000;

function indent(text: string, spaces: unknown): string {
  if (typeof spaces !== "number" || !Number.isInteger(spaces) || spaces < 0 || spaces > SPACES_MAX) {
    throw new FilterRefused(`indent takes a whole number of spaces from 0 to ${SPACES_MAX}`);
  }
  const pad = " ".repeat(spaces);
  return pad + text.replaceAll("\n", `\n${pad}`);
}

const withoutPrefix = (text: string, prefix: string): string =>
  text.startsWith(prefix) ? text.slice(prefix.length) : text;

const withoutSuffix = (text: string, suffix: string): string =>
  text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text;

function splitPart(text: string, separator: string, index: unknown): string {
  if (separator === "") throw new FilterRefused("split_part needs a separator");
  const part = typeof index === "number" ? text.split(separator).at(index) : undefined;
  if (part === undefined) throw new FilterRefused("split_part got a text without this part");
  return part;
}

function mapCharacters(text: string, change: (character: string) => string): string {
  let result = "";
  for (const character of text) result += change(character);
  return result;
}

/** Go changes each character to one character: ß stays, and the place of a sigma in its word does not matter. */
function lowerCaseOf(character: string): string {
  return character === "\u0130" ? "i" : character.toLowerCase();
}

function upperCaseOf(character: string): string {
  const upper = character.toUpperCase();
  if (isOneCharacter(upper)) return upper;
  const code = character.charCodeAt(0);
  // Greek letters with an iota below, whose capital is one letter only in a title.
  if (/[\u1f80-\u1f87\u1f90-\u1f97\u1fa0-\u1fa7]/.test(character)) return String.fromCharCode(code + 8);
  if (/[\u1fb3\u1fc3\u1ff3]/.test(character)) return String.fromCharCode(code + 9);
  return character;
}

const isOneCharacter = (text: string): boolean =>
  text.length === ((text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);

/** JavaScript's trim also removes a byte order mark, and keeps U+0085. */
function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charAt(start))) start += 1;
  while (end > start && isSpace(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isSpace = (character: string): boolean =>
  character === "\u0085" || (character !== "\ufeff" && /\s/.test(character));

/** As Go's %q. */
function quoteCharacter(character: string): string {
  const escaped = ESCAPES.get(character);
  if (escaped !== undefined) return escaped;
  if (PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");

/** As Go's encoding/json, which also escapes what has a meaning in HTML. */
function goJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${hex(character.charCodeAt(0), 4)}`,
  );
}
