import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyRule } from "../../shared/bindings/binding.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { shownData, textSource, withKeys } from "./factories.ts";

/** Every way to make the key `k` from the property `a` of the source. */
const WAYS: Readonly<Record<string, KeyRule>> = {
  "keys: all": { kind: "all" },
  "a list": { kind: "selected", keys: { k: "a" } },
  "a name beside others": { kind: "composed", keys: { k: { key: "a" } } },
  extract: { kind: "extracted", include: ["a"], exclude: [], rename: [{ pattern: "a", to: "k" }] },
  JMESPath: { kind: "composed", keys: { k: { jmespath: "a" } } },
  "JMESPath in a list": { kind: "composed", keys: { k: { jmespath: "[a][0]" } } },
  "a template": { kind: "composed", keys: { k: { template: "{{ a }}" } } },
};

const make = async (keys: KeyRule, json: string): Promise<string | undefined> => {
  const binding = withKeys(keys);
  const { k, a } = shownData(
    renderSecret(binding, [textSource(`{"a": ${json}}`)], RELAY_METADATA, await loadRenderers(binding)),
  );
  return k ?? a;
};

const TEXTS: readonly (readonly [what: string, json: string, text: string])[] = [
  ["a decimal with its zeros", "1.10", "1.10"],
  ["a whole number with a point", "5432.0", "5432.0"],
  ["an exponent", "1e3", "1e3"],
  ["a large exponent", "1E+999", "1E+999"],
  ["minus zero", "-0", "-0"],
  ["a big integer", "12345678901234567890", "12345678901234567890"],
  ["a big decimal", "-0.10000000000000000000001", "-0.10000000000000000000001"],
  ["true", "true", "true"],
  ["false", "false", "false"],
  ["a string that looks like a number", '"007"', "007"],
  ["a string that looks like null", '"null"', "null"],
  ["an empty string", '""', ""],
  ["unicode, spelled out or not", '"p\\u00e4ss\\ud83d\\ude00 \\u20ac\\n€"', "päss😀 €\n€"],
  ["an object", '{"b": 1.10, "c": [1e3, null, true, "x"]}', '{"b":1.10,"c":[1e3,null,true,"x"]}'],
  ["an array", "[1.0, -0, 12345678901234567890]", "[1.0,-0,12345678901234567890]"],
];

describe.each(Object.entries(WAYS))("by %s", (_way, keys) => {
  it.each(TEXTS)("%s: %s becomes %j", async (_what, json, text) => {
    expect(await make(keys, json)).toBe(text);
  });

  it("any number is spelled as in the source", async () => {
    const anyNumber = fc.stringMatching(/^-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?$/);
    await fc.assert(
      fc.asyncProperty(anyNumber, async (number) => {
        expect(await make(keys, number)).toBe(number);
      }),
      { numRuns: 60 },
    );
  });
});

describe("null", () => {
  it.each(Object.entries(WAYS).filter(([way]) => !way.startsWith("JMESPath")))(
    "is an empty string by %s",
    async (_way, keys) => expect(await make(keys, "null")).toBe(""),
  );

  it.each(Object.entries(WAYS).filter(([way]) => way.startsWith("JMESPath")))(
    "is an error by %s, which cannot distinguish it from a missing value",
    async (_way, keys) => {
      await expect(make(keys, "null")).rejects.toMatchObject({ code: "SOURCE_KEY_MISSING" });
    },
  );
});

it("the whole value stays unchanged, including whitespace", async () => {
  const text = '{ "a" : 1.10,\n\t"b": 12345678901234567890 }\n';
  const desired = renderSecret(withKeys({ kind: "value", key: "k" }), [textSource(text)], RELAY_METADATA);
  expect(shownData(desired)).toEqual({ k: text });
});
