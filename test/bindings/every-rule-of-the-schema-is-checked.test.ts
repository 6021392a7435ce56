import type { ErrorObject } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import schema from "../../shared/bindings/bindings.schema.json" with { type: "json" };
import { findSchemaProblems, type SchemaProblem } from "../../shared/bindings/find-schema-problems.ts";
import { runs } from "../harness/property-runs.ts";
import { anyDamagedFile, errorsByAjv, pathOf } from "./any-damaged-file.ts";

// The functions carry a small reader of schemas instead of a validator for any; here it is held against that validator.

describe("comparisons with the schema of bindings.yaml", () => {
  it.each([
    ["a file that was damaged in a few places", anyDamagedFile],
    ["any JSON", fc.jsonValue()],
  ])(
    "of %s give the same errors as a general JSON Schema validator",
    (_what, files: fc.Arbitrary<unknown>) => {
      fc.assert(
        fc.property(files, (file) => {
          const faults: SchemaProblem[] = [];
          findSchemaProblems(schema, file, (fault) => faults.push(fault) > 0);
          expect(faults.map(nameOfFault).sort()).toEqual(errorsByAjv(file).map(nameOfError).sort());
        }),
        { numRuns: runs(400) },
      );
    },
  );

  it("are compared only until the caller stops", () => {
    const faults: SchemaProblem[] = [];
    findSchemaProblems(
      schema,
      { bindings: Array.from({ length: 100_000 }, () => 1) },
      (fault) => faults.push(fault) < 3,
    );
    expect(faults).toHaveLength(3);
  });

  it("are not compared by a keyword without an implementation", () => {
    expect(() => findSchemaProblems({ type: "object", minContains: 1 }, {}, () => true)).toThrow(
      "minContains",
    );
  });
});

function nameOfFault({ keyword, path, isKey, data, property = "" }: SchemaProblem): string {
  return [keyword, path.map(String).join("/"), isKey ? `key ${data}` : "", property].join(" ");
}

function nameOfError(error: ErrorObject): string {
  const { keyword, propertyName, params } = error;
  const property = params.missingProperty ?? params.additionalProperty ?? "";
  const key = propertyName === undefined ? "" : `key ${propertyName}`;
  return [keyword, pathOf(error).join("/"), key, property].join(" ");
}
