/**
 * A JSON value with the spelling of its numbers kept: what an expression or a template looks at.
 *
 * A number that JavaScript spells as the source does is a plain number; any other (`1.10`, `1e3`, twenty digits) is a
 * SpelledNumber. Objects have no prototype, so that no name but the source's own is ever found in them.
 */
export type JsonTree = null | boolean | string | number | SpelledNumber | JsonTree[] | JsonTreeObject;

export type JsonTreeObject = { [key: string]: JsonTree };

/** A number with the text that stands for it in the source. Templates compare it like the number and print the text. */
export class SpelledNumber {
  readonly #value: number;
  readonly #text: string;

  constructor(value: number, text: string) {
    this.#value = value;
    this.#text = text;
  }

  valueOf(): number {
    return this.#value;
  }

  toString(): string {
    return this.#text;
  }

  // What LiquidJS asks for in a comparison.
  equals(other: unknown): boolean {
    return typeof other === "number" || other instanceof SpelledNumber
      ? Number(other) === this.#value
      : false;
  }

  gt(other: unknown): boolean {
    return this.#value > Number(other);
  }

  geq(other: unknown): boolean {
    return this.#value >= Number(other);
  }

  lt(other: unknown): boolean {
    return this.#value < Number(other);
  }

  leq(other: unknown): boolean {
    return this.#value <= Number(other);
  }
}

/** Undefined when the text is no JSON, or is nested deeper than LEVELS_MAX. Of a key that stands twice the last wins. */
export function parseJsonTree(text: string): { readonly root: JsonTree } | undefined {
  try {
    const parsed: unknown = JSON.parse(text, ((
      _key: string,
      value: unknown,
      context?: { source?: string },
    ) =>
      typeof value === "number" && context?.source !== undefined && String(value) !== context.source
        ? new SpelledNumber(value, context.source)
        : value) as (this: unknown, key: string, value: unknown) => unknown);
    return { root: withoutPrototypes(parsed, 0) };
  } catch {
    return undefined; // JSON.parse's own message quotes the text
  }
}

/** The languages walk the tree by recursion; nobody nests configuration this deep. */
const LEVELS_MAX = 500;

function withoutPrototypes(value: unknown, level: number): JsonTree {
  if (level > LEVELS_MAX) throw new RangeError("too deep");
  if (Array.isArray(value)) return value.map((item) => withoutPrototypes(item, level + 1));
  if (!isTreeObject(value as JsonTree)) return value as JsonTree;
  const bare: JsonTreeObject = Object.create(null);
  for (const [key, child] of Object.entries(value as object)) bare[key] = withoutPrototypes(child, level + 1);
  return bare;
}

export function isTreeObject(value: JsonTree | undefined): value is JsonTreeObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof SpelledNumber)
  );
}

/** As it goes into a Secret: a string as it is, null as nothing, anything else as JSON in the source's spelling. */
export function plainTextOf(value: JsonTree): string {
  if (typeof value === "string") return value;
  return value === null ? "" : jsonTextOf(value);
}

export function jsonTextOf(value: JsonTree): string {
  if (value instanceof SpelledNumber) return value.toString();
  if (Array.isArray(value)) return `[${value.map(jsonTextOf).join(",")}]`;
  if (!isTreeObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, child]) => `${JSON.stringify(key)}:${jsonTextOf(child)}`);
  return `{${members.join(",")}}`;
}
