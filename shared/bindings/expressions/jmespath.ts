import {
  ArityError,
  IncompleteExpressionError,
  LexerError,
  ParseError,
  search,
} from "@aws-lambda-powertools/jmespath";
import { isExpression, isFunctionName, Joined, StandardFunctions } from "./jmespath-functions.ts";
import { isTreeObject, type JsonTree, type JsonTreeObject, jsonTextOf, SpelledNumber } from "./json-tree.ts";
import { runBounded, TookTooLong } from "./run-bounded.ts";

/** `reason` quotes nothing of the source. */
export type ExpressionResult =
  | { readonly kind: "found"; readonly value: JsonTree }
  /** JMESPath does not distinguish null from a missing value. */
  | { readonly kind: "nothing" }
  | { readonly kind: "failed"; readonly reason: string };

/** The problem of an expression without a source, or undefined. */
export function checkExpression(expression: string): string | undefined {
  const excess = excessOf(expression);
  if (excess !== undefined) return excess;
  try {
    runBounded(() => treeOf(evaluateOn(expression, {}, new Map())));
    return undefined;
  } catch (error) {
    return error instanceof ExpressionFailed ? `It ${error.message}` : faultOf(expression, error);
  }
}

/**
 * Evaluates an expression and keeps the spelling of the source's numbers.
 *
 * JMESPath has only JavaScript's numbers, in which `1.10` is `1.1`. If the source holds such a number, the expression is
 * evaluated twice: once as is, and once with each such number replaced by a neighbouring double that the source does not
 * contain. A neighbour in the result was copied from the source and gets its spelling; a number that is equal in both
 * results was computed. If the results differ otherwise, a comparison depends on the last bit of the number: then the
 * first result is used, unless the spelling of a number in it is uncertain.
 */
export function evaluateExpression(expression: string, root: JsonTree): ExpressionResult {
  const excess = excessOf(expression);
  if (excess !== undefined) return { kind: "failed", reason: `is refused: ${excess}` };
  try {
    const result = runBounded(() => evaluateSpelled(expression, root));
    return result === null ? { kind: "nothing" } : { kind: "found", value: result };
  } catch (error) {
    if (error instanceof ExpressionFailed) return { kind: "failed", reason: error.message };
    if (error instanceof TookTooLong) {
      return { kind: "failed", reason: `was stopped after ${error.msMax} ms` };
    }
    return { kind: "failed", reason: "does not match the types of the source" };
  }
}

/** The library caches parsed expressions in a plain object, where it finds `toString`. A leading space avoids that. */
const keyOf = (expression: string): string => ` ${expression}`;

/** Its message quotes nothing of the source. */
class ExpressionFailed extends Error {}

function evaluateSpelled(expression: string, root: JsonTree): JsonTree {
  const neighbours = neighboursOf(root);
  const plain = treeOf(evaluateOn(expression, plainNumbers(root, new Map()), new Map()));
  if (neighbours.size === 0) return writable(plain);
  const spelled = new Map([...neighbours].map(([text, { neighbour }]) => [neighbour, text]));
  const marked = treeOf(evaluateOn(expression, plainNumbers(root, neighbours), spelled));
  const merged = merge(plain, marked, { spelled, neighbours });
  if (merged !== DIFFERENT) return writable(merged);
  if (holdsNumberOf(plain, new Set([...neighbours.values()].map(({ value }) => value)))) {
    throw new ExpressionFailed(
      "compares a number with an unusual spelling, such as 1.10 or 1e3, so the spelling of its result is uncertain; write the number as a string in the source",
    );
  }
  return writable(plain);
}

function evaluateOn(expression: string, data: unknown, spelled: ReadonlyMap<number, string>): unknown {
  // The library drops errors of functions except its own, so the problem is stored here.
  let fault: string | undefined;
  const write = (value: unknown): string => {
    try {
      return textOf(value, spelled);
    } catch (error) {
      fault ??= error instanceof ExpressionFailed ? error.message : "cannot write its result as a string";
      return "";
    }
  };
  const customFunctions = new StandardFunctions(write);
  const result: unknown = search(keyOf(expression), data as never, { customFunctions });
  if (fault !== undefined) throw new ExpressionFailed(fault);
  return result;
}

/** The spelling of a number -> its value and a neighbouring double that the source does not contain. */
type Neighbours = ReadonlyMap<string, { readonly value: number; readonly neighbour: number }>;

function neighboursOf(root: JsonTree): Neighbours {
  const taken = new Set<number>();
  const texts = new Map<string, number>();
  const walk = (value: JsonTree): void => {
    if (typeof value === "number") taken.add(value);
    else if (value instanceof SpelledNumber) {
      taken.add(value.valueOf());
      texts.set(value.toString(), value.valueOf());
    } else if (Array.isArray(value)) for (const item of value) walk(item);
    else if (isTreeObject(value)) for (const item of Object.values(value)) walk(item);
  };
  walk(root);
  const neighbours = new Map<string, { value: number; neighbour: number }>();
  for (const [text, value] of texts) {
    let neighbour = nextTowardsZero(value);
    while (taken.has(neighbour)) neighbour = nextTowardsZero(neighbour);
    taken.add(neighbour);
    neighbours.set(text, { value, neighbour });
  }
  return neighbours;
}

/** Towards zero, because infinity (`1e999`) has no larger neighbour; near zero, away from it with the same sign. */
function nextTowardsZero(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const isTiny = Math.abs(value) < Number.MIN_VALUE * 2 ** 40;
  view.setBigUint64(0, isTiny ? bits + 1n : bits - 1n);
  return view.getFloat64(0);
}

/** A fresh copy with plain numbers for JMESPath. */
function plainNumbers(value: JsonTree, neighbours: Neighbours): unknown {
  if (value instanceof SpelledNumber) {
    return neighbours.get(value.toString())?.neighbour ?? value.valueOf();
  }
  if (Array.isArray(value)) return value.map((item) => plainNumbers(item, neighbours));
  if (!isTreeObject(value)) return value;
  const copy = Object.create(null);
  for (const [key, item] of Object.entries(value)) copy[key] = plainNumbers(item, neighbours);
  return copy;
}

/** Copies a result, which may contain the same part many times. Values that JSON does not have become null. */
function treeOf(result: unknown): JsonTree {
  let nodes = 0;
  const copy = (value: unknown): JsonTree => {
    nodes += 1;
    if (nodes > NODES_MAX) throw new ExpressionFailed(`makes more than ${NODES_MAX} values`);
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
    if (typeof value !== "object" || value === null) return null;
    if (isExpression(value))
      throw new ExpressionFailed("returns an expression reference (&), which only a function can use");
    const bare: JsonTreeObject = Object.create(null);
    for (const [key, item] of Object.entries(value)) bare[key] = copy(item);
    return bare;
  };
  return copy(result);
}

const DIFFERENT = Symbol("different");

type Spellings = { readonly spelled: ReadonlyMap<number, string>; readonly neighbours: Neighbours };

function merge(plain: JsonTree, marked: JsonTree, spellings: Spellings): JsonTree | typeof DIFFERENT {
  if (typeof plain === "number" && typeof marked === "number") {
    const text = spellings.spelled.get(marked);
    if (text === undefined) return plain; // computed, or spelled as in JavaScript
    const value = spellings.neighbours.get(text)?.value;
    return value === plain ? new SpelledNumber(plain, text) : DIFFERENT;
  }
  if (Array.isArray(plain) && Array.isArray(marked)) {
    if (plain.length !== marked.length) return DIFFERENT;
    const items: JsonTree[] = [];
    for (const [index, item] of plain.entries()) {
      const merged = merge(item, marked[index] ?? null, spellings);
      if (merged === DIFFERENT) return DIFFERENT;
      items.push(merged);
    }
    return items;
  }
  if (isTreeObject(plain) && isTreeObject(marked)) {
    const keys = Object.keys(plain);
    if (keys.length !== Object.keys(marked).length) return DIFFERENT;
    const bare: JsonTreeObject = Object.create(null);
    for (const key of keys) {
      const merged = merge(plain[key] ?? null, marked[key] ?? null, spellings);
      if (merged === DIFFERENT) return DIFFERENT;
      bare[key] = merged;
    }
    return bare;
  }
  // Strings differ where to_string wrote a number, and the marked result has its spelling.
  if (typeof plain === "string" && typeof marked === "string") return marked;
  return plain === marked ? plain : DIFFERENT;
}

function holdsNumberOf(value: JsonTree, numbers: ReadonlySet<number>): boolean {
  if (typeof value === "number") return numbers.has(value);
  if (Array.isArray(value)) return value.some((item) => holdsNumberOf(item, numbers));
  return isTreeObject(value) && Object.values(value).some((item) => holdsNumberOf(item, numbers));
}

/** A join as a string, or any value as JSON with the source's spelling of numbers. */
function textOf(value: unknown, spelled: ReadonlyMap<number, string>): string {
  if (!(value instanceof Joined)) return bounded(jsonTextOf(writable(withSpelling(treeOf(value), spelled))));
  const { glue, items } = value;
  const length = items.reduce((sum, item) => sum + item.length, glue.length * Math.max(0, items.length - 1));
  if (length > TEXT_MAX) throw tooLong();
  return items.join(glue);
}

function bounded(text: string): string {
  if (text.length > TEXT_MAX) throw tooLong();
  return text;
}

const tooLong = () => new ExpressionFailed(`makes a string of more than ${TEXT_MAX} characters`);

function withSpelling(value: JsonTree, spelled: ReadonlyMap<number, string>): JsonTree {
  if (typeof value === "number") {
    const text = spelled.get(value);
    return text === undefined ? value : new SpelledNumber(value, text);
  }
  if (Array.isArray(value)) return value.map((item) => withSpelling(item, spelled));
  if (!isTreeObject(value)) return value;
  const bare: JsonTreeObject = Object.create(null);
  for (const [key, item] of Object.entries(value)) bare[key] = withSpelling(item, spelled);
  return bare;
}

/** Refuses infinite numbers, which JavaScript would write as `null`. A SpelledNumber keeps its spelling. */
function writable(value: JsonTree): JsonTree {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new ExpressionFailed("computes a number that is too large");
  }
  if (Array.isArray(value)) for (const item of value) writable(item);
  else if (isTreeObject(value)) for (const item of Object.values(value)) writable(item);
  return value;
}

const TEXT_MAX = 1024 * 1024;
const NODES_MAX = 100_000;
const EXPRESSION_MAX = 1_000;
const COPIES_MAX = 100;
const NESTING_MAX = 50;

/**
 * Bounds an expression's memory before it runs. JMESPath has no loops, so only lists and maps in the expression, such as
 * `[@, @]`, copy the source. The product of their sizes is the maximum number of copies of any part.
 */
function excessOf(expression: string): string | undefined {
  if (expression.length > EXPRESSION_MAX) {
    return `An expression may have at most ${EXPRESSION_MAX} characters`;
  }
  const literals: string[] = [];
  const bare = expression.replace(QUOTED, (quoted) => {
    if (!quoted.startsWith("`")) return "''";
    literals.push(quoted);
    return "1";
  });
  if (literals.some((literal) => /^`\s*[[{]/.test(literal))) {
    return "A literal must be a string, a number, true, false or null";
  }
  for (const [, name = ""] of bare.matchAll(/([a-z_]\w*)\s*\(/gi)) {
    if (!isFunctionName(name)) return `JMESPath has no function ${name}`;
  }
  const commas: number[] = [];
  let copies = 1;
  let isMade: boolean[] = [];
  for (const [character] of bare.matchAll(/[[\]{}(),]/g)) {
    if (character === ",") commas[commas.length - 1] = (commas.at(-1) ?? 0) + 1;
    else if ("[{(".includes(character)) {
      commas.push(0);
      isMade = [...isMade, character !== "("];
      if (commas.length > NESTING_MAX) return `Brackets may be nested at most ${NESTING_MAX} deep`;
    } else {
      copies *= isMade.at(-1) === true ? (commas.at(-1) ?? 0) + 1 : 1;
      commas.pop();
      isMade = isMade.slice(0, -1);
      if (copies > COPIES_MAX) return `Its lists and maps make more than ${COPIES_MAX} copies of the source`;
    }
  }
  return undefined;
}

/** Quoted strings, names and literals, matched left to right, so a quote inside other quotes opens nothing. */
const QUOTED = /'(?:\\[\s\S]|[^'\\])*'|"(?:\\[\s\S]|[^"\\])*"|`(?:\\[\s\S]|[^`\\])*`/g;

function faultOf(expression: string, error: unknown): string | undefined {
  if (error instanceof TookTooLong) return "This expression takes too long to parse";
  if (error instanceof ArityError) return "A function has too few or too many arguments";
  if (error instanceof LexerError)
    return `The expression is not valid JMESPath at character ${error.lexerPosition}`;
  if (error instanceof IncompleteExpressionError) return "The expression ends too early";
  if (error instanceof ParseError) {
    return `The expression is not valid JMESPath at character ${Math.min(error.lexPosition, expression.length)}`;
  }
  // A type error is expected without a source.
  return error instanceof Error && error.name === "JMESPathTypeError"
    ? undefined
    : "The expression is not valid JMESPath";
}
