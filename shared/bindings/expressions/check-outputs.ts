import { type TagToken, Tokenizer, TokenKind } from "liquidjs";

export type OutputFault = { readonly message: string; readonly line: number; readonly column: number };

/**
 * The first position of a template where LiquidJS would ignore a part of the template, or write `true` or `false`. It reads
 * `{{ password fallback }}` as `{{ password }}`, and `{{ password or fallback }}` as a condition. An output, `echo` and
 * `assign` have one value and filters; operators are only for conditions. Throws the errors of LiquidJS's tokenizer.
 */
export function checkOutputs(template: string): OutputFault | undefined {
  let isComment = false;
  for (const token of new Tokenizer(template).readTopLevelTokens()) {
    if (token.kind === TokenKind.Tag) {
      const { name } = token as TagToken;
      if (name === "comment" || name === "endcomment") isComment = name === "comment";
    }
    if (isComment || (token.kind !== TokenKind.Output && token.kind !== TokenKind.Tag)) continue;
    const [start, end] = (token as TagToken).contentRange;
    const isTag = token.kind === TokenKind.Tag;
    const reader = new Reader(template.slice(0, end), start);
    try {
      if (isTag) readTag(reader, (token as TagToken).name);
      else reader.oneValue();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { message: error.message, ...positionIn(template, error.at) };
    }
  }
  return undefined;
}

class Refused extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

function readTag(reader: Reader, name: string): void {
  reader.take(IDENTIFIER);
  if (name === "echo") reader.oneValue();
  else if (name === "assign") {
    reader.take(IDENTIFIER);
    reader.take(/=/y);
    reader.oneValue("range too");
  } else if (name === "if" || name === "elsif" || name === "unless") reader.condition();
  else if (name === "case") reader.oneValue();
  else if (name === "when") reader.values();
  else if (name === "for") reader.loop();
}

const IDENTIFIER = /(?:[\w-]|[^\0-\x7f\s])+\??/y;
const STRING = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|'[^'\\]*(?:\\[\s\S][^'\\]*)*'/y;
const NUMBER = /-?\d+(?:\.\d+)?(?![\w.-])/y;
const COMPARISON = /==|!=|>=|<=|>|<|contains\b(?![-?])/y;
const LOGIC = /(?:and|or)\b(?![-?])/y;
const NOT = /not\b(?![-?])/y;

/** Reads what LiquidJS reads, and refuses the rest. */
class Reader {
  readonly text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.text = text;
    this.#at = at;
  }

  take(pattern: RegExp): string | undefined {
    const [space = ""] = matchAt(/\s*/y, this.text, this.#at) ?? [];
    const found = matchAt(pattern, this.text, this.#at + space.length)?.[0];
    if (found !== undefined) this.#at += space.length + found.length;
    return found;
  }

  oneValue(range?: "range too"): void {
    this.take(/\s*/y);
    const start = this.#at;
    if (this.#isAtEnd())
      throw new Refused("An output is empty. Write a value, such as {{ password }}", start);
    if (this.#isNext(NOT)) throw new Refused(conditionAdvice("not"), start);
    const isRange = this.#range();
    if (isRange && range === undefined) {
      throw new Refused("A range is not a value. Use it in a loop, such as {% for i in (1..3) %}", start);
    }
    if (!isRange && !this.#value()) throw new Refused(`This is not a value: ${this.#rest(start)}`, start);
    const value = this.text.slice(start, this.#at);
    this.take(/\s*/y);
    const at = this.#at;
    const operator = this.take(LOGIC) ?? this.take(/\|\||\?\?/y) ?? this.take(COMPARISON);
    if (operator !== undefined) throw new Refused(operatorAdvice(operator, value, this.#rest(this.#at)), at);
    const isFiltered = this.#filters();
    if (this.#isAtEnd()) return;
    this.take(/\s*/y);
    throw new Refused(leftoverAdvice(value, this.#rest(this.#at), isFiltered), this.#at);
  }

  condition(): void {
    for (;;) {
      while (this.take(NOT) !== undefined);
      if (!this.#range() && !this.#value()) this.#refuseRest("A condition lacks a value");
      if (this.take(COMPARISON) === undefined && this.take(LOGIC) === undefined) break;
    }
    this.#filters();
    if (!this.#isAtEnd()) this.#refuseRest("A condition has more than values and operators");
  }

  values(): void {
    do {
      if (!this.#value()) this.#refuseRest("when lacks a value");
    } while (this.take(/,|or\b/y) !== undefined);
    if (!this.#isAtEnd()) this.#refuseRest("when has more than values");
  }

  loop(): void {
    this.take(IDENTIFIER);
    this.take(/in\b/y);
    if (!this.#range() && !this.#value()) this.#refuseRest("A loop lacks its list");
    while (!this.#isAtEnd()) {
      if (this.take(/,|reversed\b/y) !== undefined) continue;
      if (this.take(/(?:limit|offset)\s*:/y) === undefined || !this.#value()) {
        this.#refuseRest("A loop has more than its list, reversed, limit and offset");
      }
    }
  }

  /** A string, a number or a path, such as a.b["c d"][0]. */
  #value(): boolean {
    this.take(/\s*/y);
    const isPath = this.#isNext(/\[/y);
    if (!isPath && this.take(STRING) === undefined && this.take(NUMBER) === undefined) {
      if (this.take(IDENTIFIER) === undefined) return false;
    }
    for (;;) {
      if (this.#takeHere(/\./y)) {
        if (!this.#takeHere(IDENTIFIER)) return false;
      } else if (this.#takeHere(/\[/y)) {
        const start = this.#at;
        if (!this.#value() || this.take(/\]/y) === undefined) {
          throw new Refused(`Brackets hold one value, not ${this.#rest(start)}`, start);
        }
      } else return true;
    }
  }

  #range(): boolean {
    const start = this.#at;
    if (this.take(/\(/y) === undefined) return false;
    if (this.#bound() && this.take(/\.\./y) && this.#bound() && this.take(/\)/y)) return true;
    this.#at = start;
    return false;
  }

  #bound(): boolean {
    return this.take(/-?\d+/y) !== undefined || this.take(/(?:[\w-]+\.)*[\w-]+/y) !== undefined;
  }

  #filters(): boolean {
    let isFiltered = false;
    while (this.take(/\|/y) !== undefined) {
      isFiltered = true;
      const start = this.#at;
      if (this.take(IDENTIFIER) === undefined) throw new Refused("A filter lacks its name", start);
      if (this.take(/:/y) === undefined) continue;
      do {
        this.take(/[\w-]+\s*:/y);
        if (!this.#value()) this.#refuseRest("A filter lacks an argument");
      } while (this.take(/,/y) !== undefined);
    }
    return isFiltered;
  }

  #takeHere(pattern: RegExp): boolean {
    const found = matchAt(pattern, this.text, this.#at)?.[0];
    this.#at += found?.length ?? 0;
    return found !== undefined;
  }

  #isNext(pattern: RegExp): boolean {
    const start = this.#at;
    const found = this.take(pattern);
    this.#at = start;
    return found !== undefined;
  }

  #isAtEnd(): boolean {
    return this.text.slice(this.#at).trim() === "";
  }

  #rest(from: number): string {
    return this.text.slice(from).trim();
  }

  #refuseRest(message: string): never {
    this.take(/\s*/y);
    const rest = this.#rest(this.#at);
    throw new Refused(rest === "" ? message : `${message}: ${rest}`, this.#at);
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

const conditionAdvice = (operator: string): string =>
  `An output is one value with filters, and ${operator} would write true or false. Use it in a tag, such as {% if a ${operator === "not" ? "!=" : operator} b %}`;

function operatorAdvice(operator: string, value: string, rest: string): string {
  return operator === "or" || operator === "||" || operator === "??"
    ? `An output is one value with filters, and ${operator} would not write the second one. Write {{ ${value} | default: ${rest} }}`
    : conditionAdvice(operator);
}

function leftoverAdvice(value: string, rest: string, isFiltered: boolean): string {
  if (isFiltered) {
    return `An argument of a filter is followed by ${rest}. Separate arguments with commas, and filters with |`;
  }
  return `An output is one value with filters, and ${rest} would be ignored. Write {{ ${value} | default: … }} for a fallback, or {{ ${value} | append: … }} for both`;
}

function positionIn(template: string, at: number): { line: number; column: number } {
  const lines = template.slice(0, at).split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}
