/**
 * A JSON value for expressions and templates that keeps the spelling of its numbers.
 *
 * A number that JavaScript spells differently than the source (`1.10`, `1e3`, twenty digits) is a SpelledNumber. Objects
 * have no prototype, so lookups find only the source's own names.
 */
export type JsonTree = null | boolean | string | number | SpelledNumber | JsonTree[] | JsonTreeObject;

export type JsonTreeObject = { [key: string]: JsonTree };

/** A number with its spelling in the source. Templates compare the number and print the spelling. */
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

  // The interface that LiquidJS uses in comparisons.
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

/** Undefined for invalid JSON, or more than LEVELS_MAX levels. The last of duplicate keys wins. */
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

/** The languages walk the tree recursively; real configuration is never this deep. */
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

/** A source of a template: its text, or its JSON object, which is written as the text that the source holds. */
export function sourceTreeOf(text: string): JsonTree {
  const root = parseJsonTree(text)?.root;
  return isTreeObject(root) ? Object.defineProperty(root, WHOLE_TEXT, { value: text }) : text;
}

const WHOLE_TEXT = Symbol("the text of the whole source");

/** As written into a Secret: strings as is, null as an empty string, anything else as JSON in the source's spelling. */
export function plainTextOf(value: JsonTree): string {
  if (typeof value === "string") return value;
  const whole = (value as { [WHOLE_TEXT]?: string } | null)?.[WHOLE_TEXT];
  if (whole !== undefined) return whole;
  return value === null ? "" : jsonTextOf(value);
}

export function jsonTextOf(value: JsonTree): string {
  if (value instanceof SpelledNumber) return value.toString();
  if (Array.isArray(value)) return `[${value.map(jsonTextOf).join(",")}]`;
  if (!isTreeObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, child]) => `${JSON.stringify(key)}:${jsonTextOf(child)}`);
  return `{${members.join(",")}}`;
}
