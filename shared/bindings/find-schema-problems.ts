import type { Path } from "./problem-list.ts";

/** A part of bindings.schema.json, with the keywords that error messages use. */
export type SchemaPart = {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly patternErrorMessage?: string;
  readonly suggestTidied?: boolean;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaPart & { readonly $ref?: string }>>;
};

/** One violation of the schema. */
export type SchemaProblem = {
  readonly keyword: string;
  readonly path: Path;
  /** The invalid value, or the invalid key. */
  readonly data: unknown;
  readonly isKey: boolean;
  /** The keyword's value in the schema. */
  readonly rule: unknown;
  /** The part of the schema that contains the keyword. */
  readonly part: SchemaPart;
  /** The missing or unknown key. */
  readonly property?: string;
};

/** Receives the next problem; false ends the search. */
export type TakeProblem = (problem: SchemaProblem) => boolean;

/**
 * Validates a value against a schema, and reports every problem.
 *
 * Ajv would add 133 kB to each function's bundle, and the code that it generates from the schema at least 95 kB. A test
 * compares the results with Ajv's. An unknown keyword throws, so no rule of the schema is skipped. `uniqueItems` is for
 * editors: check-rules.ts reports all duplicates.
 */
export function findSchemaProblems(schema: object, value: unknown, take: TakeProblem): void {
  const walk: Walk = { root: schema as Schema, take, isOver: false };
  check(walk, walk.root, { path: [], data: value, isKey: false });
}

type Schema = Readonly<Record<string, unknown>>;
type At = { readonly path: Path; readonly data: unknown; readonly isKey: boolean };
type Walk = { readonly root: Schema; readonly take: TakeProblem; isOver: boolean };

function check(walk: Walk, schema: Schema, at: At): void {
  for (const [keyword, rule, validate] of rulesOf(schema)) {
    if (walk.isOver) return;
    validate(walk, { schema, keyword, rule, at });
  }
}

type Rule = { readonly schema: Schema; readonly keyword: string; readonly rule: unknown; readonly at: At };
type Keyword = (walk: Walk, rule: Rule) => void;

/** For readers and editors; `if` handles `then` and `else`. */
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

/** In the order of the report: at one position, missing keys come before unknown keys. */
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
      if (rule === false) report(walk, found, key);
      else check(walk, rule as Schema, { path: [...at.path, key], data, isKey: false });
    }
  },
} satisfies Record<string, Keyword>);

type PlannedRule = readonly [keyword: string, rule: unknown, Keyword];

const planned = new WeakMap<Schema, readonly PlannedRule[]>();

function rulesOf(schema: Schema): readonly PlannedRule[] {
  const known = planned.get(schema);
  if (known !== undefined) return known;
  const rules = CHECKED.flatMap(([keyword, validate]): PlannedRule[] =>
    Object.hasOwn(schema, keyword) ? [[keyword, schema[keyword], validate]] : [],
  );
  const unchecked = Object.keys(schema).filter((keyword) => UNCHECKED.has(keyword));
  if (rules.length + unchecked.length < Object.keys(schema).length) {
    throw new TypeError(
      `find-schema-problems.ts does not support a keyword of ${Object.keys(schema).join(", ")}`,
    );
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

/** In code points, not UTF-16 units. */
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
  for (const key of keys) if (!Object.hasOwn(data, key)) report(walk, found, key);
}

function mustHold(walk: Walk, found: Rule, holds: boolean): void {
  if (!holds) report(walk, found);
}

function report(walk: Walk, { keyword, rule, schema, at }: Rule, property?: string): void {
  if (walk.isOver) return;
  const problem = {
    keyword,
    rule,
    part: schema as SchemaPart,
    ...at,
    ...(property !== undefined && { property }),
  };
  walk.isOver = !walk.take(problem);
}

function isValid({ root }: Walk, schema: Schema, at: At): boolean {
  let valid = true;
  const take = () => {
    valid = false;
    return false;
  };
  check({ root, take, isOver: false }, schema, at);
  return valid;
}

function definitionOf(root: Schema, ref: string): Schema {
  const found = (root.$defs as Readonly<Record<string, Schema>>)[ref.replace("#/$defs/", "")];
  if (found === undefined) throw new TypeError(`bindings.schema.json defines no ${ref}`);
  return found;
}
