import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexOncePerHome } from "../../shared/bindings/binding-index.ts";
import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { BindingsUnreadable, parseCompiledBindings } from "../../shared/bindings/read-compiled-bindings.ts";
import { anyBindingsFile } from "../bindings/any-bindings-file.ts";
import { SELF } from "../sweep/factories.ts";
import { measured } from "./hostile-cluster.ts";

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

  it("in which any place holds anything are refused, or are bindings that an event can be looked up in", () => {
    const anyValue = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom("__proto__", "constructor", null, {}, []),
    );
    fc.assert(
      fc.property(anyBindingsFile, fc.nat(), anyValue, (file, where, value) => {
        const compiled = loadBindings(JSON.stringify(file), "bindings.yaml");
        const damaged = JSON.stringify(replaceAt(JSON.parse(JSON.stringify(compiled)), where, value));
        const use = () => {
          const index = indexOncePerHome(parseCompiledBindings(damaged, "bindings.json"))(SELF);
          index.find({ id: "prod/db", names: ["prod/db"] });
          index.find({ id: "__proto__", names: ["__proto__"] });
        };
        expect([true, false]).toContain(isRefused(use));
      }),
      { numRuns: 2_000 },
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

  it.each([
    ["a thousand million laughs", laughs(9)],
    ["an alias of itself", "a: &a [*a]"],
    ["a chain of merge keys", `${laughs(3)}\nb: { <<: *a3 }`],
    ["a map a thousand deep", Array.from({ length: 1_000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n")],
    ["a list of two hundred thousand entries", "- x\n".repeat(200_000)],
    ["a key of a megabyte", `${"x".repeat(1_048_576)}: 1`],
    ["one line of 15 MB", `a: "${"x".repeat(15_000_000)}"`],
    ["more than 16 MB", "#".repeat(17_000_000)],
    ["a hundred thousand documents", "---\n".repeat(100_000)],
    ["a hundred thousand anchors", Array.from({ length: 100_000 }, (_, at) => `- &a${at} x`).join("\n")],
    [
      "names that every object has",
      "__proto__: { version: 1 }\nconstructor: 1\ntoString: 1\nhasOwnProperty: 1",
    ],
  ])("of %s is refused, in bounded time and memory", { timeout: 60_000 }, async (_what, text) => {
    const { result, grownMB } = await measured(async () =>
      isRefused(() => loadBindings(text, "bindings.yaml")),
    );
    expect(result).toBe(true);
    expect(grownMB).toBeLessThan(2_000);
  });
});

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
