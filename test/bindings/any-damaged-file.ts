import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import fc from "fast-check";
import schema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import { anyBindingsFile } from "./any-bindings-file.ts";

const ajv = new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true });
ajv.addVocabulary(["patternErrorMessage", "suggestTidied"]);
ajv.removeKeyword("uniqueItems").addVocabulary(["uniqueItems"]);
const validate = ajv.compile(schema);

/** What a validator for any schema finds in a file; those errors left out that only say that there are others inside. */
export function errorsByAjv(file: unknown): ErrorObject[] {
  validate(file);
  return (validate.errors ?? []).filter(
    ({ keyword }) => !["if", "propertyNames", "dependentSchemas"].includes(keyword),
  );
}

/** Where it is, as steps. */
export const pathOf = ({ instancePath }: ErrorObject): string[] =>
  instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

const WORDS = [
  ...[
    "all",
    "auto",
    "delete",
    "retain",
    "keys",
    "secret",
    "base64",
    "Deployment",
    "Opaque",
    "eu-west-1",
    "",
    " ",
  ],
  ...["__proto__", "constructor", "🙂".repeat(253), "x".repeat(254), "prod/db", "1"],
];

const anyWrongValue = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.constantFrom(null, true, 0, 1, -1, 1.5, 1e9),
  fc.constantFrom([], {}, [[]], [{}], [null], { __proto__: null, constructor: 1 }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Every key that the schema knows in some place, in any place. */
const anyKey = fc.constantFrom(...keysOf(schema), "__proto__", "constructor", "unknown");

/** A valid file in which a few places hold something else, lack something, or have too much. */
export const anyDamagedFile = anyFileDamagedBy(anyWrongValue);

export function anyFileDamagedBy(anyDamage: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(anyBindingsFile, fc.array(fc.tuple(fc.nat(), anyKey, anyDamage), { maxLength: 4 }))
    .map(([file, damages]) =>
      damages.reduce((damaged, damage) => damageAt(damaged, damage), structuredClone(file) as unknown),
    );
}

function keysOf(part: unknown): string[] {
  if (typeof part !== "object" || part === null) return [];
  const { properties = {} } = part as { properties?: object };
  return [...new Set([...Object.keys(properties), ...Object.values(part).flatMap(keysOf)])];
}

function damageAt(file: unknown, [where, key, wrong]: readonly [number, string, unknown]): unknown {
  const value = structuredClone(wrong); // the next damage may be in it
  const places = mapsIn(file);
  const place = places[where % Math.max(1, places.length)];
  if (place === undefined) return value;
  if (Array.isArray(place)) place.push(value);
  else if (where % 3 === 0) delete place[Object.keys(place)[where % 7] ?? ""];
  else Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true });
  return file;
}

function mapsIn(value: unknown): (Record<string, unknown> | unknown[])[] {
  if (typeof value !== "object" || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(mapsIn)];
}
