import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import schema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import { findShapeFaults, type ShapeFault } from "../../shared/bindings/find-shape-faults.ts";
import { anyBindingsFile } from "./any-bindings-file.ts";

// The functions carry a small reader of schemas instead of a validator for any; here it is held against that validator.

const ajv = new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true });
ajv.addVocabulary(["patternErrorMessage", "suggestTidied"]);
ajv.removeKeyword("uniqueItems").addVocabulary(["uniqueItems"]);
const validate = ajv.compile(schema);

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
const anyDamagedFile = fc
  .tuple(anyBindingsFile, fc.array(fc.tuple(fc.nat(), anyKey, anyWrongValue), { maxLength: 4 }))
  .map(([file, damages]) =>
    damages.reduce((damaged, damage) => damageAt(damaged, damage), structuredClone(file) as unknown),
  );

describe("a value and the schema of bindings.yaml", () => {
  it.each([
    ["a file that was damaged in a few places", anyDamagedFile],
    ["any JSON", fc.jsonValue()],
  ])("of %s the same is wrong as a validator for any schema finds", (_what, files: fc.Arbitrary<unknown>) => {
    fc.assert(
      fc.property(files, (file) => {
        const faults: ShapeFault[] = [];
        findShapeFaults(schema, file, (fault) => faults.push(fault) > 0);
        validate(file);
        expect(faults.map(nameOfFault).sort()).toEqual((validate.errors ?? []).flatMap(nameOfError).sort());
      }),
      { numRuns: 2_000 },
    );
  });

  it("are compared no further than somebody wants to know", () => {
    const faults: ShapeFault[] = [];
    findShapeFaults(
      schema,
      { bindings: Array.from({ length: 100_000 }, () => 1) },
      (fault) => faults.push(fault) < 3,
    );
    expect(faults).toHaveLength(3);
  });

  it("are not compared by a rule that nobody has written", () => {
    expect(() => findShapeFaults({ type: "object", minContains: 1 }, {}, () => true)).toThrow("minContains");
  });
});

function nameOfFault({ keyword, path, isKey, data, property = "" }: ShapeFault): string {
  return [keyword, path.map(String).join("/"), isKey ? `key ${data}` : "", property].join(" ");
}

/** Those that only say that there are others inside are left out. */
function nameOfError({ keyword, instancePath, propertyName, params }: ErrorObject): string[] {
  if (["if", "propertyNames", "dependentSchemas"].includes(keyword)) return [];
  const path = instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const property = params.missingProperty ?? params.additionalProperty ?? "";
  return [
    [keyword, path.join("/"), propertyName === undefined ? "" : `key ${propertyName}`, property].join(" "),
  ];
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
