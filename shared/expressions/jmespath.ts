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

/** What an expression finds. `failed` says why in words that hold nothing of the source. */
export type ExpressionResult =
  | { readonly kind: "found"; readonly value: JsonTree }
  /** JMESPath makes no difference between null and what is not there. */
  | { readonly kind: "nothing" }
  | { readonly kind: "failed"; readonly reason: string };

/** What is wrong with an expression, whatever it is used on; undefined when nothing is. */
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
 * Evaluates an expression, keeping the spelling of the numbers that it finds.
 *
 * JMESPath knows only JavaScript's numbers, in which `1.10` is `1.1`. So where the source holds such a number, the
 * expression is evaluated twice: once as it is, and once with each of them replaced by a neighbour that is found
 * nowhere else in the source (the next double). What comes out as a neighbour was taken from the source, and gets its
 * text; what comes out as the same in both was computed. Where the two differ otherwise, a comparison hangs on the last
 * bit of the number: then the first answer counts, unless it holds a number whose text would be a guess.
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
    return { kind: "failed", reason: "does not fit the types of what it is used on" };
  }
}

/** The library keeps what it parsed in a plain object, and finds `toString` in there: a space makes it another key. */
const keyOf = (expression: string): string => ` ${expression}`;

/** Its message is ours, and quotes nothing. */
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
      "compares a number that the source spells in an unusual way, such as 1.10 or 1e3, so the text of its result is not certain; quote the number in the source",
    );
  }
  return writable(plain);
}

function evaluateOn(expression: string, data: unknown, spelled: ReadonlyMap<number, string>): unknown {
  // The library drops what a function throws, but for errors of its own, so what is wrong with a text is remembered.
  let fault: string | undefined;
  const write = (value: unknown): string => {
    try {
      return textOf(value, spelled);
    } catch (error) {
      fault ??= error instanceof ExpressionFailed ? error.message : "can't write its result as a text";
      return "";
    }
  };
  const customFunctions = new StandardFunctions(write);
  const result: unknown = search(keyOf(expression), data as never, { customFunctions });
  if (fault !== undefined) throw new ExpressionFailed(fault);
  return result;
}

/** Text -> a double next to its value, which is no number of the source. */
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

/** Towards zero, as infinity (`1e999`) has nothing beyond it; from zero itself, the smallest of its sign and so on up. */
function nextTowardsZero(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const isTiny = Math.abs(value) < Number.MIN_VALUE * 2 ** 40;
  view.setBigUint64(0, isTiny ? bits + 1n : bits - 1n);
  return view.getFloat64(0);
}

/** As JMESPath takes it; a fresh copy each time, since its sort and reverse work in place. */
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

/** The result may share parts with itself many times over; whatever is no JSON, such as a prototype's, is nothing. */
function treeOf(result: unknown): JsonTree {
  let nodes = 0;
  const copy = (value: unknown): JsonTree => {
    nodes += 1;
    if (nodes > NODES_MAX) throw new ExpressionFailed(`makes more than ${NODES_MAX} values`);
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
    if (typeof value !== "object" || value === null) return null;
    if (isExpression(value))
      throw new ExpressionFailed("gives an expression (&) where only a function takes one");
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
    if (text === undefined) return plain; // computed, or spelled as JavaScript does
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
  // Two texts differ where to_string has written a number, and the marked run knows its spelling.
  if (typeof plain === "string" && typeof marked === "string") return marked;
  return plain === marked ? plain : DIFFERENT;
}

function holdsNumberOf(value: JsonTree, numbers: ReadonlySet<number>): boolean {
  if (typeof value === "number") return numbers.has(value);
  if (Array.isArray(value)) return value.some((item) => holdsNumberOf(item, numbers));
  return isTreeObject(value) && Object.values(value).some((item) => holdsNumberOf(item, numbers));
}

/** The text of a join, or of any value in JSON with the spelling that its numbers have in the source. */
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

const tooLong = () => new ExpressionFailed(`makes a text of more than ${TEXT_MAX} characters`);

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

/** JSON has no text for a number without end, and JavaScript would write `null`. One with a text in the source keeps it. */
function writable(value: JsonTree): JsonTree {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new ExpressionFailed("computes a number that is larger than JavaScript's numbers go");
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
 * Bounds the memory that an expression can take, before it runs: it has no loop of its own, so only lists and maps that
 * it makes (`[@, @]`) multiply what it looks at. Their sizes multiplied are the most copies of any part of the source.
 */
function excessOf(expression: string): string | undefined {
  if (expression.length > EXPRESSION_MAX) {
    return `An expression has at most ${EXPRESSION_MAX} characters`;
  }
  const literals: string[] = [];
  const bare = expression.replace(QUOTED, (quoted) => {
    if (!quoted.startsWith("`")) return "''";
    literals.push(quoted);
    return "1";
  });
  if (literals.some((literal) => /^`\s*[[{]/.test(literal))) {
    return "A literal is a text, a number, true, false or null";
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
      if (commas.length > NESTING_MAX) return `Brackets are nested at most ${NESTING_MAX} deep`;
    } else {
      copies *= isMade.at(-1) === true ? (commas.at(-1) ?? 0) + 1 : 1;
      commas.pop();
      isMade = isMade.slice(0, -1);
      if (copies > COPIES_MAX) return `The lists and maps that it makes multiply to more than ${COPIES_MAX}`;
    }
  }
  return undefined;
}

/** Texts, names and literals, in the order in which they stand: a quote within another kind of quotes opens nothing. */
const QUOTED = /'(?:\\[\s\S]|[^'\\])*'|"(?:\\[\s\S]|[^"\\])*"|`(?:\\[\s\S]|[^`\\])*`/g;

function faultOf(expression: string, error: unknown): string | undefined {
  if (error instanceof TookTooLong) return "This expression takes too long to read";
  if (error instanceof ArityError) return "A function is given too few or too many arguments";
  if (error instanceof LexerError) return `This is no JMESPath at character ${error.lexerPosition}`;
  if (error instanceof IncompleteExpressionError) return "The expression ends too early";
  if (error instanceof ParseError) {
    return `This is no JMESPath at character ${Math.min(error.lexPosition, expression.length)}`;
  }
  // A type that does not fit says nothing yet: there is no source to look at.
  return error instanceof Error && error.name === "JMESPathTypeError"
    ? undefined
    : "This is no JMESPath expression";
}
