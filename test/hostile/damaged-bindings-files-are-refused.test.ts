import { inspect } from "node:util";
import type { ErrorObject } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { indexPerLocation } from "../../shared/bindings/binding-index.ts";
import { BindingsError, type BindingsProblem } from "../../shared/bindings/bindings-error.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { describePath, type Path } from "../../shared/bindings/problem-list.ts";
import { BindingsUnreadable, parseCompiledBindings } from "../../shared/bindings/read-compiled-bindings.ts";
import { anyBindingsFile } from "../bindings/any-bindings-file.ts";
import { anyDamagedFile, anyFileDamagedBy, errorsByAjv, pathOf } from "../bindings/any-damaged-file.ts";
import { MARK } from "../harness/canary.ts";
import { runs } from "../harness/property-runs.ts";
import { SELF } from "../harness/relay-metadata.ts";
import { callWithinMemory } from "../hygiene/call-within-memory.ts";

const LOAD_BINDINGS = new URL("../../shared/bindings/load-bindings.ts", import.meta.url);
const loadWithin = (heapMB: number, text: string) =>
  callWithinMemory(heapMB, LOAD_BINDINGS, "loadBindings", text, "bindings.yaml");

const isRefused = (run: () => unknown): boolean => {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof BindingsError || error instanceof BindingsUnreadable) return true;
    throw error;
  }
};

describe("compiled bindings", () => {
  it("that are cut off anywhere are refused, and say so", () => {
    fc.assert(
      fc.property(anyBindingsFile, fc.double({ min: 0, max: 0.999, noNaN: true }), (file, share) => {
        const whole = JSON.stringify(loadBindings(JSON.stringify(file), "bindings.yaml"));
        const part = whole.slice(0, Math.floor(whole.length * share));
        expect(isRefused(() => parseCompiledBindings(part, "bindings.json"))).toBe(true);
      }),
    );
  });

  it("with any value at any location are refused, or are valid bindings", () => {
    const anyValue = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom("__proto__", "constructor", null, {}, []),
    );
    fc.assert(
      fc.property(anyBindingsFile, fc.nat(), anyValue, (file, where, value) => {
        const compiled = loadBindings(JSON.stringify(file), "bindings.yaml");
        const damaged = JSON.stringify(replaceAt(JSON.parse(JSON.stringify(compiled)), where, value));
        const use = () => {
          const index = indexPerLocation(parseCompiledBindings(damaged, "bindings.json"))(SELF);
          index.find({ id: "prod/db", names: ["prod/db"] });
          index.find({ id: "__proto__", names: ["__proto__"] });
        };
        expect([true, false]).toContain(isRefused(use));
      }),
      { numRuns: runs(400) },
    );
  });

  it.each([
    ["a list a million deep", `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`],
    ["a map that calls itself a prototype", '{"__proto__":{"version":1,"clusters":{},"bindings":[]}}'],
    [
      "clusters that are one's prototype",
      '{"version":1,"clusters":{},"bindings":[{"source":{"id":"x","names":["x"]},"target":{"namespace":"a","name":"b","cluster":"constructor"},"keys":{"kind":"all"},"type":"Opaque","labels":{},"annotations":{},"adopt":false,"fingerprint":"x"}]}',
    ],
    ["nothing", ""],
    ["a number", "1e999"],
  ])("that are %s are refused", (_what, text) => {
    expect(isRefused(() => parseCompiledBindings(text, "bindings.json"))).toBe(true);
  });
});

describe("bindings.yaml", () => {
  const laughs = (depth: number): string => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let at = 1; at <= depth; at += 1) {
      lines.push(`a${at}: &a${at} [${Array.from({ length: 10 }, () => `*a${at - 1}`).join(", ")}]`);
    }
    return lines.join("\n");
  };

  // Files that need more memory to refuse are in test/long.
  const HEAP_MB = 256;

  it.each([
    ["a thousand million laughs", laughs(9)],
    ["an alias of itself", "a: &a [*a]"],
    ["a chain of merge keys", `${laughs(3)}\nb: { <<: *a3 }`],
    [
      "names that every object has",
      "__proto__: { version: 1 }\nconstructor: 1\ntoString: 1\nhasOwnProperty: 1",
    ],
  ])("of %s is refused, in bounded time and memory", { timeout: 120_000 }, async (_what, text) => {
    expect(await loadWithin(HEAP_MB, text)).toEqual({ threw: "BINDINGS_INVALID" });
  });
});

describe("a damaged bindings.yaml", () => {
  it("is refused with the location of every violation of the schema", () => {
    let refused = 0;
    let accepted = 0;
    fc.assert(
      fc.property(anyDamagedFile, (file) => {
        const text = JSON.stringify(file, null, 1) ?? "";
        const read = JSON.parse(text);
        const errors = errorsByAjv(read);
        const told = outcomeOf(text);
        if (!(told instanceof BindingsError)) {
          accepted += 1;
          expect(errors).toEqual([]);
          // What was compiled is what the function reads.
          const written = JSON.stringify(told);
          expect(JSON.stringify(parseCompiledBindings(written, "bindings.json"))).toBe(written);
          return;
        }
        refused += 1;
        expect(told).toMatchObject({ code: "BINDINGS_INVALID", retryable: false, truncated: false });
        const places = told.problems.map(({ path }) => path);
        for (const error of errors) expect(places).toContain(describePath(complainedPathOf(error, read)));
        for (const problem of told.problems) expectToLeadSomewhere(problem, text, told.message);
      }),
      { numRuns: runs(300) },
    );
    // Or the one or the other was never looked at.
    expect(Math.min(refused, accepted)).toBeGreaterThan(50);
  });

  it("quotes no string that was pasted in place of a map, a list, a number or another setting", () => {
    const anyPaste = fc.constantFrom(
      [MARK],
      { [`x${"-x".repeat(9)}`]: MARK },
      { password: MARK, "user name": [MARK] },
      [[MARK, { a: MARK }]],
    );
    fc.assert(
      fc.property(anyFileDamagedBy(anyPaste), (file) => {
        const told = outcomeOf(JSON.stringify(file, null, 1) ?? "");
        if (told instanceof BindingsError) expect(inspect(told, { depth: null })).not.toContain(MARK);
      }),
      { numRuns: runs(200) },
    );
  });

  it("sends no control characters to a terminal in a suggested name", () => {
    const name = "prod\u001b[2J";
    const text = stringify({
      version: 1,
      clusters: { [name]: { name: "prod", region: "eu-west-1" } },
      bindings: [{ source: "prod/db", targets: [{ cluster: "prod[2J", namespace: "shop", name: "db" }] }],
    });
    const told = outcomeOf(text);
    expect(told).toBeInstanceOf(BindingsError);
    const meant = (told as BindingsError).problems.find(({ fix }) => fix.includes("Did you mean prod"));
    expectToLeadSomewhere(meant as BindingsProblem, text, (told as BindingsError).message);
  });

  it("with changed characters is refused with a location, or is another valid file", () => {
    const anyCharacter = fc.oneof(
      fc.constantFrom(..."\0\t\r\n\u2028\ufeff\ud800&*!|>%@`'\"{}[],:-?#~"),
      fc.string(),
    );
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), anyCharacter), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(anyBindingsFile, edits, (file, changes) => {
        let text = stringify(file);
        for (const [where, length, put] of changes) {
          const at = where % (text.length + 1);
          text = text.slice(0, at) + put + text.slice(at + length);
        }
        const told = outcomeOf(text);
        if (told instanceof BindingsError) {
          for (const problem of told.problems) expectToLeadSomewhere(problem, text, told.message);
        } else expect(told.version).toBe(1);
      }),
      { numRuns: runs(200) },
    );
  });
});

/** What was loaded, or why not; any other error is a crash, and fails the test. */
function outcomeOf(text: string): CompiledBindings | BindingsError {
  try {
    return loadBindings(text, "bindings.yaml");
  } catch (error) {
    if (error instanceof BindingsError) return error;
    throw error;
  }
}

/** The place that a user is sent to: the key that should not be there, or the map that lacks one. */
function complainedPathOf(error: ErrorObject, file: unknown): Path {
  let at = file;
  const path = pathOf(error).map((step) => {
    const isIndex = Array.isArray(at);
    at = (at as Record<string, unknown>)[step];
    return isIndex ? Number(step) : step;
  });
  const { keyword, propertyName, params } = error;
  const key = propertyName ?? params.additionalProperty ?? (keyword === "not" ? "value" : undefined);
  return key === undefined ? path : [...path, key];
}

function expectToLeadSomewhere(problem: BindingsProblem, text: string, message: string): void {
  const lines = text.split(/\r\n|\n|\r/);
  expect(problem.line).toBeGreaterThanOrEqual(1);
  expect(problem.line).toBeLessThanOrEqual(lines.length);
  expect(problem.column).toBeGreaterThanOrEqual(1);
  expect(problem.message.length).toBeGreaterThan(5);
  expect(problem.fix.length).toBeGreaterThan(3);
  expect(message).toContain(`bindings.yaml:${problem.line}:${problem.column}: `);
  expect(`${problem.path}${problem.message}${problem.fix}`).not.toMatch(/[\p{Cc}\u2028-\u202e]/u);
}

/** The value in the n-th place of it, whichever that is. */
function replaceAt(root: unknown, where: number, value: unknown): unknown {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (at: unknown): void => {
    if (typeof at !== "object" || at === null) return;
    for (const key of Object.keys(at)) {
      places.push([at as Record<string, unknown>, key]);
      walk((at as Record<string, unknown>)[key]);
    }
  };
  walk(root);
  const place = places[where % Math.max(1, places.length)];
  if (place !== undefined) place[0][place[1]] = value;
  return root;
}
