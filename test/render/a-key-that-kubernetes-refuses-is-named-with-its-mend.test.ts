import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BoundSource } from "../../shared/bindings/binding.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { isDataKey } from "../../shared/render/is-data-key.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import { runs } from "../harness/property-runs.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { CANARY, shownData, textSource } from "./factories.ts";

/** Compiles a binding with these lines of YAML. */
const bind = (rules: string) => {
  const file = `version: 1
clusters: { main: { name: main, region: eu-west-1 } }
bindings:
  - source: prod/db
    ${rules}
    targets: [{ namespace: app, name: db }]
`;
  const [binding] = loadBindings(file, "bindings.yaml").bindings;
  if (binding === undefined) throw new TypeError("The file has one binding");
  return binding;
};

const render = async (rules: string, value: object) => {
  const binding = bind(rules);
  const renderers = await loadRenderers(binding);
  return shownData(renderSecret(binding, [textSource(JSON.stringify(value))], RELAY_METADATA, renderers));
};

const refusalOf = async (rules: string, value: object): Promise<{ code: string; message: string }> =>
  render(rules, value).then(
    () => ({ code: "none", message: "" }),
    (error: unknown) => error as { code: string; message: string },
  );

const mendIn = (message: string): string => /extract: \{.*\}$/.exec(message)?.[0] ?? "";

describe("the keys are named, and the extract in the message makes the Secret:", () => {
  it.each<[what: string, rules: string, value: Record<string, string>, keys: string[]]>([
    [
      "a slash, a space, two dots",
      "keys: all",
      { "db/host": "h", "user name": "u", "..data": "d", fine: "f" },
      ["db-host", "user-name", "data", "fine"],
    ],
    ["the empty key", "keys: all", { "": "e" }, ["unnamed"]],
    ["a key of 300 characters", "keys: all", { ["k".repeat(300)]: "v" }, ["k".repeat(240)]],
    ["letters of other scripts", "keys: all", { é: "g", パス: "p", "😀a": "s" }, ["e", "unnamed", "a"]],
    ["keys that would meet", "keys: all", { "a/b": "1", "a b": "2", "a-b": "3" }, ["a-b-2", "a-b-3", "a-b"]],
    ["a star", "keys: all", { "a*": "1", b: "2" }, ["a", "b"]],
    ["quotes and line breaks", "keys: all", { 'a"b\\c\nd': "1" }, ["a-b-c-d"]],
    ["the prototype", "keys: all", { ["__proto__"]: "1" }, ["proto"]],
    [
      "an extract of its own",
      'extract: { include: ["db/*", x], exclude: ["*old"], rename: [{ pattern: x, to: y }] }',
      { "db/host": "h", "db/old": "o", x: "1", z: "2" },
      ["db-host", "y"],
    ],
    [
      "an extract of a nested object",
      "extract: { jmespath: '\"nested\"', decode: auto }",
      { nested: JSON.stringify({ "db/host": "aG9zdA==" }), other: "x" },
      ["db-host"],
    ],
    [
      "a rename that makes no key",
      'extract: { rename: [{ pattern: "*", to: "..*" }] }',
      { host: "h" },
      ["host"],
    ],
  ])("%s", async (_, rules, value, keys) => {
    const own = Object.fromEntries(Object.entries(value));
    const { code, message } = await refusalOf(rules, own);

    expect(code).toBe("DATA_KEY_INVALID");
    const made = await render(mendIn(message), own);
    expect(Object.keys(made).sort()).toEqual(keys.toSorted());
  });

  it("by their names, as JSON spells them", async () => {
    const { message } = await refusalOf("keys: all", { "db/host": CANARY, "user name": CANARY, a: CANARY });

    expect(message).toContain('cannot have the keys "db/host", "user name" of');
    expect(message).not.toContain(CANARY);
  });

  it("with any keys", async () => {
    const anyKey = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.string({ unit: fc.constantFrom("a", "/", ".", "-", " ", "*", "é"), maxLength: 6 }),
      fc.string({ minLength: 200, maxLength: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(anyKey, { minLength: 1, maxLength: 8 }), async (keys) => {
        const value = Object.fromEntries(keys.map((key, index) => [key, `v${index}`]));
        const { code, message } = await refusalOf("keys: all", value);
        const isMade = Object.keys(value).every(isDataKey);
        expect(code).toBe(isMade ? "none" : "DATA_KEY_INVALID");
        if (isMade) return;
        if (mendIn(message) === "") {
          expect(message).toContain("Rename them with keys");
          return;
        }
        const made = await render(mendIn(message), value);
        expect(Object.values(made).sort()).toEqual(Object.values(value).sort());
        for (const key of Object.keys(value).filter(isDataKey)) expect(made[key]).toBe(value[key]);
      }),
      { numRuns: runs(100) },
    );
  });
});

it("of several sources, the message names the one with the key", async () => {
  const binding = bind("keys: all");
  const [first] = binding.sources;
  const bound: BoundSource = { ...first, id: "prod/other" };
  const both = { ...binding, sources: [first, bound] as const };

  const error = (() => {
    try {
      renderSecret(
        both,
        [textSource('{"a":"1"}'), textSource('{"b c":"2"}', { arn: "arn:other" })],
        RELAY_METADATA,
      );
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  })();

  expect(error).toMatchObject({ code: "DATA_KEY_INVALID", message: expect.stringContaining("arn:other") });
});
