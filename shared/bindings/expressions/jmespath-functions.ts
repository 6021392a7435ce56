import { ArityError, JMESPathTypeError } from "@aws-lambda-powertools/jmespath";
import { Functions } from "@aws-lambda-powertools/jmespath/functions";

/** Writes a value as a string. It reports an error by other means than throwing, because the library drops errors. */
export type WriteText = (value: unknown) => string;

/**
 * Our own JMESPath functions. Those of the library (2.36.0) differ from the specification: they sort by locale, sort and
 * reverse the source in place, count UTF-16 units, treat false, 0 and "" as null, and accept lists of mixed types.
 */
export class StandardFunctions extends Functions {
  readonly write: WriteText;

  constructor(write: WriteText) {
    super();
    this.write = write;
  }
}

/** The library's own look-up accepts `toString` as to_string. */
export const isFunctionName = (name: string): boolean => Object.hasOwn(STANDARD, name);

type Kind = "any" | "string" | "number" | "array" | "object" | "expression" | "numbers" | "strings";
type Run = (this: WriteText, ...args: never[]) => unknown;
type Visited = { visit(value: unknown): unknown };
type Key = string | number;

const STANDARD: Readonly<Record<string, readonly [kinds: readonly string[], run: Run, isVariadic?: true]>> = {
  abs: [["number"], (value: number) => Math.abs(value)],
  avg: [["numbers"], (items: number[]) => (items.length === 0 ? null : sum(items) / items.length)],
  ceil: [["number"], (value: number) => Math.ceil(value)],
  contains: [["array string", "any"], contains],
  ends_with: [["string", "string"], (text: string, end: string) => text.endsWith(end)],
  floor: [["number"], (value: number) => Math.floor(value)],
  join: [
    ["string", "strings"],
    function (this: WriteText, glue: string, items: string[]) {
      return this(new Joined(glue, items));
    },
  ],
  keys: [["object"], (map: object) => Object.keys(map)],
  length: [["string array object"], lengthOf],
  map: [
    ["expression", "array"],
    (each: Visited, items: unknown[]) => items.map((item) => each.visit(item) ?? null),
  ],
  max: [["numbers strings"], (items: Key[]) => extreme(items, items, 1)],
  max_by: [["array", "expression"], (items: unknown[], by: Visited) => extreme(items, keysOf(items, by), 1)],
  merge: [["object"], (...maps: object[]) => Object.assign(Object.create(null), ...maps), true],
  min: [["numbers strings"], (items: Key[]) => extreme(items, items, -1)],
  min_by: [["array", "expression"], (items: unknown[], by: Visited) => extreme(items, keysOf(items, by), -1)],
  not_null: [["any"], (...values: unknown[]) => values.find((value) => value !== null) ?? null, true],
  reverse: [
    ["array string"],
    (value: string | unknown[]) =>
      typeof value === "string" ? [...value].reverse().join("") : value.toReversed(),
  ],
  sort: [["numbers strings"], (items: Key[]) => items.toSorted(order)],
  sort_by: [["array", "expression"], sortBy],
  starts_with: [["string", "string"], (text: string, start: string) => text.startsWith(start)],
  sum: [["numbers"], sum],
  to_array: [["any"], (value: unknown) => (Array.isArray(value) ? value : [value])],
  to_number: [["any"], toNumber],
  to_string: [
    ["any"],
    function (this: WriteText, value: unknown) {
      return typeof value === "string" ? value : this(value);
    },
  ],
  type: [["any"], typeOf],
  values: [["object"], (map: object) => Object.values(map)],
};

for (const [name, [kinds, run, isVariadic]] of Object.entries(STANDARD)) {
  const method = `func_${name}`.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  // The interpreter passes one list of arguments. An impossible comparison is undefined.
  const value = function (this: StandardFunctions, given: readonly unknown[]): unknown {
    const args = given.map((arg) => arg ?? null);
    const isCountRight = isVariadic ? args.length > 0 : args.length === kinds.length;
    if (!isCountRight) throw new ArityError({ expectedArity: kinds.length, actualArity: args.length });
    for (const [at, arg] of args.entries()) demand(arg, kinds[at] ?? kinds[0] ?? "any");
    return (run as (...args: unknown[]) => unknown).apply(this.write, args);
  };
  Object.defineProperty(StandardFunctions.prototype, method, { value });
}

/** The parts of a join, so that the writer can check the length before joining. */
export class Joined {
  readonly glue: string;
  readonly items: readonly string[];
  constructor(glue: string, items: readonly string[]) {
    this.glue = glue;
    this.items = items;
  }
}

/** The interpreter passes on only errors of the library's own class. This one quotes nothing. */
function refuse(kinds: string): never {
  throw new JMESPathTypeError({ currentValue: null, expectedTypes: [kinds], actualType: "another" });
}

function demand(value: unknown, kinds: string): void {
  if (!(kinds.split(" ") as Kind[]).some((kind) => isOf(value, kind))) refuse(kinds);
}

function isOf(value: unknown, kind: Kind): boolean {
  if (kind === "any") return !isExpression(value);
  if (kind === "expression") return isExpression(value);
  if (kind === "numbers" || kind === "strings") {
    return Array.isArray(value) && value.every((item) => `${typeof item}s` === kind);
  }
  return typeOf(value) === kind && !isExpression(value);
}

/** An expression reference such as `&a`. Values of the source never contain functions. */
export const isExpression = (value: unknown): value is Visited =>
  typeof (value as Partial<Visited> | null)?.visit === "function";

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function lengthOf(value: string | unknown[] | object): number {
  if (typeof value === "string") return [...value].length;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function sum(items: number[]): number {
  return items.reduce((total, item) => total + item, 0);
}

function contains(where: string | unknown[], what: unknown): boolean {
  if (typeof where === "string") return typeof what === "string" && where.includes(what);
  return where.some((item) => isEqual(item, what));
}

function isEqual(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return one === other;
  }
  const keys = Object.keys(one);
  return (
    Array.isArray(one) === Array.isArray(other) &&
    keys.length === Object.keys(other).length &&
    keys.every(
      (key) =>
        Object.hasOwn(other, key) &&
        isEqual((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
    )
  );
}

/** RFC 8259's grammar for numbers. Unlike JavaScript's Number it refuses spaces, `0x10` and an empty string. */
function toNumber(value: unknown): number | null {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i.test(value)
    ? Number(value)
    : null;
}

function keysOf(items: unknown[], by: Visited): Key[] {
  const keys = items.map((item) => by.visit(item) ?? null);
  demand(keys, "numbers strings");
  return keys as Key[];
}

function sortBy(items: unknown[], by: Visited): unknown[] {
  const keys = keysOf(items, by);
  const sorted = [...items.keys()].sort((one, other) => order(keys[one] as Key, keys[other] as Key));
  return sorted.map((at) => items[at]);
}

/** The first item with the largest key, or the smallest for -1. */
function extreme(items: readonly unknown[], keys: readonly Key[], sign: 1 | -1): unknown {
  let best = 0;
  for (let at = 1; at < keys.length; at += 1) {
    if (order(keys[at] as Key, keys[best] as Key) * sign > 0) best = at;
  }
  return items[best] ?? null;
}

/** Compares two numbers, or two strings by code points. */
function order(one: Key, other: Key): number {
  if (typeof one === "number" || typeof other === "number") {
    return one === other ? 0 : one < other ? -1 : 1;
  }
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at += 1) {
    const difference = rankOf(one.charCodeAt(at)) - rankOf(other.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** Surrogates encode code points beyond U+FFFF, so they sort after U+E000 to U+FFFF, unlike in UTF-16. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
