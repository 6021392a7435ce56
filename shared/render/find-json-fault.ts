/** Why a text is not JSON, and the index where, unless that would be its length. Quotes nothing of the text. */
export type JsonFault = { readonly what: string; readonly fix: string; readonly at?: number };

/**
 * The first fault of a text that is meant as JSON; undefined if it is JSON. Messages of JSON.parse quote the text, and
 * many have no position. A part that never ends is reported where it begins, because its end would reveal the length of the text.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: Open[] = [];
  let expected: Expected = "value";
  let at = 0;
  let comma = 0;
  for (;;) {
    at = skip(SPACE, text, at);
    const inner = open.at(-1);
    if (at >= text.length) {
      return expected === "end" ? undefined : { ...FAULTS.unfinished, at: inner?.at ?? 0 };
    }
    const next = text.charAt(at);
    const fault = (name: keyof typeof FAULTS, where = at): JsonFault => ({ ...FAULTS[name], at: where });
    if (expected === "end" && next === "\0") return FAULTS.nulAfter;
    const foreign = foreignSignAt(text, at);
    if (foreign !== undefined) return fault(foreign);
    if (expected === "end") return fault("textAfter");

    if (next === inner?.closer && expected !== "colon" && expected !== "value") {
      if (expected === "key" || expected === "next value") return fault("trailingComma", comma);
      open.pop();
      at += 1;
      expected = open.length === 0 ? "end" : "comma";
    } else if (expected === "comma") {
      if (next !== ",") return fault(isBracket(next) ? "wrongBracket" : "missingComma");
      comma = at;
      at += 1;
      expected = inner?.closer === "}" ? "key" : "next value";
    } else if (expected === "colon") {
      if (next !== ":") return fault("missingColon");
      at += 1;
      expected = "value";
    } else if (next === '"') {
      const end = endOfString(text, at);
      if (typeof end !== "number") return end;
      const isKey: boolean = expected === "key" || expected === "first key";
      at = end;
      expected = isKey ? "colon" : open.length === 0 ? "end" : "comma";
    } else if (expected === "key" || expected === "first key") {
      return fault(next === "," ? "extraComma" : "bareKey");
    } else if (next === "{" || next === "[") {
      open.push({ closer: next === "{" ? "}" : "]", at });
      at += 1;
      expected = next === "{" ? "first key" : "first value";
    } else {
      const end = skip(WORD, text, at);
      const word = text.slice(at, end);
      if (word === "") return fault(next === "," && expected !== "value" ? "extraComma" : "missingValue");
      if (!JSON_WORD.test(word)) return fault(/^[-+]?\.?\d/.test(word) ? "number" : "word");
      at = end;
      expected = open.length === 0 ? "end" : "comma";
    }
  }
}

type Open = { readonly closer: "}" | "]"; readonly at: number };
type Expected = "value" | "first value" | "next value" | "key" | "first key" | "colon" | "comma" | "end";

const FAULTS = {
  unfinished: { what: "a part that never ends", fix: "Close it" },
  textAfter: { what: "more text after the end of the JSON", fix: "Remove it" },
  trailingComma: { what: "a comma with nothing after it", fix: "Remove the comma" },
  extraComma: { what: "a comma with nothing before it", fix: "Remove the comma" },
  wrongBracket: { what: "a closing bracket of the other kind", fix: "Correct the bracket" },
  missingComma: { what: "no comma between two values", fix: "Add the comma" },
  missingColon: { what: "no colon after a key", fix: "Add the colon" },
  missingValue: { what: "no value", fix: "Add the value" },
  bareKey: { what: "a key without double quotes", fix: "Put each key into double quotes" },
  singleQuote: { what: "a single quote", fix: "JSON has only double quotes" },
  curlyQuote: { what: "a typographic quote", fix: 'Use the plain double quote, "' },
  comment: { what: "a comment", fix: "JSON has no comments, so remove it" },
  nul: { what: "a NUL character", fix: "Save the value as UTF-8 text without NUL characters" },
  nulAfter: { what: "a NUL character after the end of the JSON", fix: "Remove it" },
  otherSpace: { what: "a space of a kind that JSON does not have", fix: "Use plain spaces" },
  word: {
    what: "a word that JSON does not have, as True, None, NaN and undefined are",
    fix: "Use true, false or null, or put the text into double quotes",
  },
  number: {
    what: "a number that is not spelled as in JSON",
    fix: "Correct it, or put it into double quotes",
  },
  rawBreak: {
    what: "a string with a raw line break, or without its closing quote",
    fix: "Write the line break as \\n, or add the quote",
  },
  rawControl: {
    what: "a raw control character in a string",
    fix: "Write a tab as \\t, and others as \\u001b",
  },
  escape: { what: "an escape that JSON does not have", fix: "Write a backslash as \\\\" },
} as const;

const SPACE = /[ \t\n\r]*/y;
const WORD = /[^\s,:{}[\]"']*/y;
const JSON_WORD = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}

const isBracket = (sign: string): boolean => sign === "}" || sign === "]";

/** Outside of strings, these are faults wherever they stand. */
function foreignSignAt(text: string, at: number): keyof typeof FAULTS | undefined {
  const next = text.charAt(at);
  if (next === "#" || /^\/[/*]/.test(text.slice(at, at + 2))) return "comment";
  if (next === "'" || next === "`") return "singleQuote";
  if (/[\u2018-\u201f]/.test(next)) return "curlyQuote";
  if (next === "\0") return "nul";
  return /[\s\u200b\ufeff]/.test(next) ? "otherSpace" : undefined;
}

/** The index after the closing quote, or the fault of the string. */
function endOfString(text: string, start: number): number | JsonFault {
  for (let at = start + 1; at < text.length; at += 1) {
    const next = text.charAt(at);
    if (next === '"') return at + 1;
    if (next === "\n" || next === "\r") return { ...FAULTS.rawBreak, at: start };
    if (next === "\0") return { ...FAULTS.nul, at };
    if (next < " ") return { ...FAULTS.rawControl, at };
    if (next !== "\\") continue;
    if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(at, at + 6))) return { ...FAULTS.escape, at };
    at += 1;
  }
  return { ...FAULTS.unfinished, at: start };
}
