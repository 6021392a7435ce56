/** A part of a Go template: text, or an action between {{ and }}. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "action";
      readonly tokens: readonly Token[];
      /** Between the braces, without the marks that trim the text around. */
      readonly source: string;
    };

export type Token = {
  readonly kind: "word" | "field" | "variable" | "string" | "integer" | "sign";
  /** The text of a string literal, the name of a field or variable, or else the token itself. */
  readonly text: string;
  readonly isSpaced: boolean;
};

/** Why a template has no equivalent. The message quotes only the template. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/** Splits a template as Go's text/template does, comments and whitespace control included. */
export function scanTemplate(template: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  let trimsNext = false;
  for (;;) {
    const open = template.indexOf("{{", at);
    const text = template.slice(at, open === -1 ? undefined : open);
    const trimsThis = open !== -1 && /^-[ \t\r\n]/.test(template.slice(open + 2, open + 4));
    const start = trimsNext ? text.replace(/^[ \t\r\n]+/, "") : text;
    parts.push({ kind: "text", text: trimsThis ? trimmedEnd(start) : start });
    if (open === -1) return parts;
    const action = scanAction(template, open + (trimsThis ? 4 : 2), trimsThis);
    const { tokens, end } = action;
    trimsNext = action.trimsNext;
    const source = template.slice(open + (trimsThis ? 3 : 2), end - (trimsNext ? 3 : 2));
    if (tokens !== undefined) parts.push({ kind: "action", tokens, source });
    at = end;
  }
}

function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && " \t\r\n".includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

type Action = { readonly tokens?: Token[]; readonly end: number; readonly trimsNext: boolean };

function scanAction(template: string, start: number, isSpacedFirst: boolean): Action {
  if (template.startsWith("/*", start)) return scanComment(template, start);
  const tokens: Token[] = [];
  let at = start;
  let isSpaced = isSpacedFirst;
  for (;;) {
    const end = takeAt(END, template, at);
    if (end !== undefined) return { tokens, end: at + end.length, trimsNext: end.includes("-") };
    if (at >= template.length) throw new Unsupported("an action is not closed");
    const space = takeAt(SPACE, template, at);
    if (space !== undefined) {
      at += space.length;
      isSpaced = true;
      continue;
    }
    const { token, length } = scanToken(template, at);
    tokens.push({ ...token, isSpaced });
    isSpaced = false;
    at += length;
  }
}

function scanComment(template: string, start: number): Action {
  const close = template.indexOf("*/", start);
  const end = close === -1 ? undefined : takeAt(END, template, close + 2);
  if (end === undefined) throw new Unsupported("a comment is not closed");
  return { end: close + 2 + end.length, trimsNext: end.includes("-") };
}

const END = /[ \t\r\n]-\}\}|\}\}/y;
/** One space at a time: a space before -}} is a part of the end. */
const SPACE = /[ \t\r\n]/y;

function takeAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

const TOKENS: readonly [kind: Token["kind"], pattern: RegExp][] = [
  ["field", /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["variable", /\$[\p{L}\p{Nd}_]*/uy],
  ["word", /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["integer", /-?(?:0|[1-9][0-9]*)(?![\w.])/y],
  ["sign", /:=|[.|(),=]/y],
];

function scanToken(template: string, at: number): { token: Omit<Token, "isSpaced">; length: number } {
  const quoted = takeAt(QUOTED, template, at);
  if (quoted !== undefined)
    return { token: { kind: "string", text: unquote(quoted) }, length: quoted.length };
  const raw = takeAt(RAW, template, at);
  if (raw !== undefined) {
    // Go drops the carriage returns of a raw string.
    return { token: { kind: "string", text: raw.slice(1, -1).replaceAll("\r", "") }, length: raw.length };
  }
  for (const [kind, pattern] of TOKENS) {
    const found = takeAt(pattern, template, at);
    if (found === undefined) continue;
    const text = kind === "field" || kind === "variable" ? found.slice(1) : found;
    return { token: { kind, text }, length: found.length };
  }
  throw new Unsupported(`an action contains ${JSON.stringify(shortened(template.slice(at)))}`);
}

const QUOTED = /"(?:[^"\\\n]|\\[^\n])*"/y;
const RAW = /`[^`]*`/y;

export function shortened(text: string): string {
  const line = text.replaceAll("\n", " ");
  return line.length > 30 ? `${line.slice(0, 27)}…` : line;
}

/** The text of an interpreted string literal of Go. */
function unquote(literal: string): string {
  return literal.slice(1, -1).replace(ESCAPE, (found, short?: string, long?: string, name?: string) => {
    if (name === undefined) {
      const code = Number.parseInt(short ?? long ?? "", 16);
      if (code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) return String.fromCodePoint(code);
    }
    const simple = SIMPLE_ESCAPES[name ?? ""];
    if (simple === undefined) throw new Unsupported(`a string contains the escape ${found}`);
    return simple;
  });
}

const ESCAPE = /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\s\S]))/g;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};
