import type { Path } from "./problem-list.ts";

/** A part of bindings.schema.json: the keywords of JSON Schema that it uses, and what editors show. */
export type SchemaPart = {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly patternErrorMessage?: string;
  readonly suggestTidied?: boolean;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaPart & { readonly $ref?: string }>>;
};

/** One place where a value is not as its schema says. */
export type ShapeFault = {
  readonly keyword: string;
  readonly path: Path;
  /** What is wrong there: a value, or a key that is illegal as such. */
  readonly data: unknown;
  readonly isKey: boolean;
  /** What the keyword says. */
  readonly rule: unknown;
  /** Where the keyword stands. */
  readonly part: SchemaPart;
  /** The key that is missing, or that there should not be. */
  readonly property?: string;
};

/** Takes the next fault, and says whether it wants more. */
export type TakeFault = (fault: ShapeFault) => boolean;

/**
 * Holds a value against a schema, and tells every fault of it.
 *
 * The function that reads bindings as YAML carries this instead of a validator for any schema, which takes 134 kB; a
 * test holds it against that validator. It knows the keywords that bindings.schema.json uses and throws at any other, so
 * that a rule can't be added and not be checked. `uniqueItems` is for editors: check-meaning.ts names all duplicates.
 */
export function findShapeFaults(schema: object, value: unknown, take: TakeFault): void {
  const walk: Walk = { root: schema as Schema, take, isOver: false };
  check(walk, walk.root, { path: [], data: value, isKey: false });
}

type Schema = Readonly<Record<string, unknown>>;
type At = { readonly path: Path; readonly data: unknown; readonly isKey: boolean };
type Walk = { readonly root: Schema; readonly take: TakeFault; isOver: boolean };

function check(walk: Walk, schema: Schema, at: At): void {
  for (const [keyword, rule, holdAgainst] of rulesOf(schema)) {
    if (walk.isOver) return;
    holdAgainst(walk, { schema, keyword, rule, at });
  }
}

type Rule = { readonly schema: Schema; readonly keyword: string; readonly rule: unknown; readonly at: At };
type Keyword = (walk: Walk, rule: Rule) => void;

/** What is said to readers and editors only; `then` and `else` are taken up by `if`. */
const UNCHECKED: ReadonlySet<string> = new Set(
  [
    "$schema",
    "$defs",
    "title",
    "description",
    "examples",
    "default",
    "patternErrorMessage",
    "suggestTidied",
  ].concat(["uniqueItems", "then", "else"]),
);

/** In the order in which they are told: of faults in one place, what is missing comes before what is too much. */
const CHECKED: readonly (readonly [keyword: string, Keyword])[] = Object.entries({
  $ref: (walk, { rule, at }) => check(walk, definitionOf(walk.root, String(rule)), at),
  type: (walk, found) =>
    mustHold(
      walk,
      found,
      [found.rule].flat().some((type) => isOfType(found.at.data, type)),
    ),
  const: (walk, found) => mustHold(walk, found, found.at.data === found.rule),
  enum: (walk, found) => mustHold(walk, found, (found.rule as unknown[]).includes(found.at.data)),
  not: (walk, found) => mustHold(walk, found, !isValid(walk, found.rule as Schema, found.at)),
  if: (walk, { schema, rule, at }) => {
    const next = isValid(walk, rule as Schema, at) ? schema.then : schema.else;
    if (next !== undefined) check(walk, next as Schema, at);
  },

  minimum: ofNumber((number, limit) => number >= limit),
  maximum: ofNumber((number, limit) => number <= limit),
  minLength: ofText((text, limit) => lengthOf(text) >= Number(limit)),
  maxLength: ofText((text, limit) => lengthOf(text) <= Number(limit)),
  pattern: ofText((text, pattern) => new RegExp(String(pattern), "u").test(text)),

  minItems: ofList((list, limit) => list.length >= limit),
  maxItems: ofList((list, limit) => list.length <= limit),
  items: (walk, { rule, at }) => {
    if (!Array.isArray(at.data)) return;
    for (const [index, data] of at.data.entries()) {
      check(walk, rule as Schema, { path: [...at.path, index], data, isKey: false });
    }
  },

  minProperties: ofMap((map, limit) => Object.keys(map).length >= limit),
  maxProperties: ofMap((map, limit) => Object.keys(map).length <= limit),
  required: (walk, found) => {
    const { data } = found.at;
    if (isMap(data)) mustHave(walk, found, data, found.rule as readonly string[]);
  },
  dependentRequired: (walk, found) => {
    const { data } = found.at;
    if (!isMap(data)) return;
    for (const [key, needed] of Object.entries(found.rule as Readonly<Record<string, readonly string[]>>)) {
      if (Object.hasOwn(data, key)) mustHave(walk, found, data, needed);
    }
  },
  dependentSchemas: (walk, { rule, at }) => {
    if (!isMap(at.data)) return;
    for (const [key, schema] of Object.entries(rule as Readonly<Record<string, Schema>>)) {
      if (Object.hasOwn(at.data, key)) check(walk, schema, at);
    }
  },
  propertyNames: (walk, { rule, at }) => {
    if (!isMap(at.data)) return;
    for (const data of Object.keys(at.data))
      check(walk, rule as Schema, { path: at.path, data, isKey: true });
  },
  properties: (walk, { rule, at }) => {
    if (!isMap(at.data)) return;
    for (const [key, schema] of Object.entries(rule as Readonly<Record<string, Schema>>)) {
      if (!Object.hasOwn(at.data, key)) continue;
      check(walk, schema, { path: [...at.path, key], data: at.data[key], isKey: false });
    }
  },
  additionalProperties: (walk, found) => {
    const { schema, rule, at } = found;
    if (!isMap(at.data)) return;
    const known = (schema.properties ?? {}) as AnyMap;
    for (const [key, data] of Object.entries(at.data)) {
      if (Object.hasOwn(known, key)) continue;
      if (rule === false) tell(walk, found, key);
      else check(walk, rule as Schema, { path: [...at.path, key], data, isKey: false });
    }
  },
} satisfies Record<string, Keyword>);

type PlannedRule = readonly [keyword: string, rule: unknown, Keyword];

const planned = new WeakMap<Schema, readonly PlannedRule[]>();

function rulesOf(schema: Schema): readonly PlannedRule[] {
  const known = planned.get(schema);
  if (known !== undefined) return known;
  const rules = CHECKED.flatMap(([keyword, holdAgainst]): PlannedRule[] =>
    Object.hasOwn(schema, keyword) ? [[keyword, schema[keyword], holdAgainst]] : [],
  );
  const unchecked = Object.keys(schema).filter((keyword) => UNCHECKED.has(keyword));
  if (rules.length + unchecked.length < Object.keys(schema).length) {
    throw new TypeError(`find-shape-faults.ts does not know a keyword of ${Object.keys(schema).join(", ")}`);
  }
  planned.set(schema, rules);
  return rules;
}

type AnyMap = Readonly<Record<string, unknown>>;

const isMap = (data: unknown): data is AnyMap =>
  typeof data === "object" && data !== null && !Array.isArray(data);

function isOfType(data: unknown, type: unknown): boolean {
  switch (type) {
    case "object":
      return isMap(data);
    case "array":
      return Array.isArray(data);
    case "integer":
      return Number.isInteger(data);
    default:
      return typeof data === type; // string or boolean
  }
}

/** In characters as people count them, not in halves of them. */
const lengthOf = (text: string): number => [...text].length;

function ofNumber(holds: (number: number, limit: number) => boolean): Keyword {
  return (walk, found) => {
    const { data } = found.at;
    if (typeof data === "number") mustHold(walk, found, holds(data, Number(found.rule)));
  };
}

function ofText(holds: (text: string, rule: unknown) => boolean): Keyword {
  return (walk, found) => {
    const { data } = found.at;
    if (typeof data === "string") mustHold(walk, found, holds(data, found.rule));
  };
}

function ofList(holds: (list: readonly unknown[], limit: number) => boolean): Keyword {
  return (walk, found) => {
    const { data } = found.at;
    if (Array.isArray(data)) mustHold(walk, found, holds(data, Number(found.rule)));
  };
}

function ofMap(holds: (map: AnyMap, limit: number) => boolean): Keyword {
  return (walk, found) => {
    const { data } = found.at;
    if (isMap(data)) mustHold(walk, found, holds(data, Number(found.rule)));
  };
}

function mustHave(walk: Walk, found: Rule, data: AnyMap, keys: readonly string[]): void {
  for (const key of keys) if (!Object.hasOwn(data, key)) tell(walk, found, key);
}

function mustHold(walk: Walk, found: Rule, holds: boolean): void {
  if (!holds) tell(walk, found);
}

function tell(walk: Walk, { keyword, rule, schema, at }: Rule, property?: string): void {
  if (walk.isOver) return;
  const fault = {
    keyword,
    rule,
    part: schema as SchemaPart,
    ...at,
    ...(property !== undefined && { property }),
  };
  walk.isOver = !walk.take(fault);
}

function isValid({ root }: Walk, schema: Schema, at: At): boolean {
  let isFaultless = true;
  const take = () => {
    isFaultless = false;
    return false;
  };
  check({ root, take, isOver: false }, schema, at);
  return isFaultless;
}

function definitionOf(root: Schema, ref: string): Schema {
  const found = (root.$defs as Readonly<Record<string, Schema>>)[ref.replace("#/$defs/", "")];
  if (found === undefined) throw new TypeError(`bindings.schema.json defines no ${ref}`);
  return found;
}
