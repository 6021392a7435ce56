import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyRule } from "../../shared/bindings/binding.ts";
import { findJsonFault } from "../../shared/render/find-json-fault.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import type { RenderSource } from "../../shared/render/render-source.ts";
import { runs } from "../harness/property-runs.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { binarySource, CANARY, shownData, textSource, withKeys } from "./factories.ts";

const ALL: KeyRule = { kind: "all" };
const EXTRACTED: KeyRule = { kind: "extracted", include: ["*"], exclude: [], rename: [] };

const render = async (keys: KeyRule, source: RenderSource) => {
  const binding = withKeys(keys);
  return shownData(renderSecret(binding, [source], RELAY_METADATA, await loadRenderers(binding)));
};
const errorOf = async (source: RenderSource, keys: KeyRule = ALL): Promise<unknown> =>
  render(keys, source).then(
    () => "no error",
    (error: unknown) => error,
  );

const V = CANARY;
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");

describe("the reason names the fault and its position:", () => {
  it.each<[what: string, text: string, says: string]>([
    ["a trailing comma", `{"a":"${V}",}`, `a comma with nothing after it at line 1, column ${V.length + 8}`],
    ["a trailing comma in a list", `{\n "a": [1, ]}`, "a comma with nothing after it at line 2, column 9"],
    ["two commas", `{"a":1,,"b":2}`, "a comma with nothing before it at line 1, column 8"],
    ["single quotes", `{'a': '${V}'}`, "a single quote at line 1, column 2"],
    [
      "a dictionary of Python",
      `{"a": True, "b": None}`,
      "True, None, NaN and undefined are at line 1, column 7",
    ],
    ["NaN", `{"a": NaN}`, "a word that JSON does not have"],
    ["minus Infinity", `{"a": -Infinity}`, "a word that JSON does not have"],
    ["undefined", `{"a": undefined}`, "a word that JSON does not have"],
    ["a value without quotes", `{"a": ${V}}`, "a word that JSON does not have"],
    ["keys without quotes", `{a: "${V}"}`, "a key without double quotes at line 1, column 2"],
    ["typographic quotes", `{“a”: “${V}”}`, "a typographic quote at line 1, column 2"],
    ["a comment", `{\n  // the password\n  "a": "${V}"}`, "a comment at line 2, column 3"],
    ["a comment before it", `/* ${V} */ {"a":1}`, "a comment at line 1, column 1"],
    ["a comment as in YAML", `# ${V}\n{"a":1}`, "a comment at line 1, column 1"],
    [
      "a raw line break",
      `{"a": "${V}\n${V}"}`,
      "a raw line break, or without its closing quote at line 1, column 7",
    ],
    ["a raw tab", `{"a": "\t"}`, "a raw control character in a string at line 1, column 8"],
    [
      "an escape of another language",
      `{"a": "\\x41"}`,
      "an escape that JSON does not have at line 1, column 8",
    ],
    ["a missing comma", `{"a": 1 "b": 2}`, "no comma between two values at line 1, column 9"],
    ["a missing colon", `{"a" 1}`, "no colon after a key at line 1, column 6"],
    ["a missing value", `{"a": }`, "no value at line 1, column 7"],
    ["a list that starts with a comma", '{"a": [,1]}', "a comma with nothing before it at line 1, column 8"],
    ["a key alone", `{"a"}`, "no colon after a key at line 1, column 5"],
    ["the wrong bracket", `{"a": [1}`, "a closing bracket of the other kind at line 1, column 9"],
    ["a number with a plus", `{"a": +1}`, "a number that is not spelled as in JSON at line 1, column 7"],
    ["a number in hex", `{"a": 0x1F}`, "a number that is not spelled as in JSON"],
    ["a number with a zero before it", `{"a": 007}`, "a number that is not spelled as in JSON"],
    ["a number without a digit before the dot", `{"a": .5}`, "a number that is not spelled as in JSON"],
    ["a no-break space", `{\u00a0"a":1}`, "a space of a kind that JSON does not have at line 1, column 2"],
    ["two objects", `{"a":1}\n{"b":2}`, "more text after the end of the JSON at line 2, column 1"],
    ["a NUL after it", `{"a":"${V}"}\0`, "a NUL character after the end of the JSON, so"],
    ["a NUL inside", `{\0"\0a`, "a NUL character at line 1, column 2"],
    ["an end in a string", `{"a": "${V}`, "a part that never ends at line 1, column 7"],
    ["an end in an object", `{"b": {"a": "${V}"`, "a part that never ends at line 1, column 7"],
    ["lines as Windows ends them", `{\r\n"a": 1,\r\n}`, "a comma with nothing after it at line 2, column 7"],
    ["JSON in a JSON string", JSON.stringify(JSON.stringify({ a: V })), "is JSON inside a JSON string"],
    [
      "JSON that was encoded twice more",
      JSON.stringify(JSON.stringify(JSON.stringify({ a: V }))),
      "encoded 2 times more",
    ],
    ["a list", `["${V}"]`, "is a JSON list"],
    ["a damaged list", `["${V}",]`, "a comma with nothing after it"],
    ["the base64 of JSON", Buffer.from(`{"a":"${V}"}`).toString("base64"), "is the base64 of a JSON object"],
    ["the quotes of a shell", `'{"a":"${V}"}'`, "is JSON within quotes"],
    ["nothing", " \n", "is empty"],
    ["levels without end", `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`, "nested too deep"],
  ])("%s", async (_, text, says) => {
    for (const keys of [ALL, EXTRACTED]) {
      const error = await errorOf(textSource(text), keys);
      expect(error).toMatchObject({
        code: "SOURCE_NOT_JSON_OBJECT",
        message: expect.stringContaining(says),
      });
      expect((error as Error).message).not.toContain("value:");
      expect(inspect(error)).not.toContain(V);
    }
  });

  it("UTF-16 in SecretBinary", async () => {
    expect(await errorOf(binarySource(utf16(`{"a":"${V}"}`)))).toMatchObject({
      code: "SOURCE_NOT_JSON_OBJECT",
      message: expect.stringContaining("is UTF-16 text"),
    });
  });

  it.each([
    ["a password", V],
    ["a number", "12345"],
    ["a quoted text", `"${V}"`],
    ["bytes", Buffer.from([0xff, 0x00, 0x80])],
  ])("but for %s it has no position, and says how to change the binding", async (_, value) => {
    const error = await errorOf(typeof value === "string" ? textSource(value) : binarySource(value));
    expect(error).toMatchObject({ message: expect.stringContaining("Set value: <data key>") });
    expect((error as Error).message).not.toMatch(/line|column/);
  });
});

describe("JSON is read", () => {
  const text = '{"a":12345678901234567890,"b":{"c":1.10,"d":-0.0},"e":1e999,"f":"x","f":"y"}';
  const want = { a: "12345678901234567890", b: '{"c":1.10,"d":-0.0}', e: "1e999", f: "y" };

  it.each([
    ["as text", textSource(text)],
    ["after a byte order mark", textSource(`\ufeff${text}`)],
    ["in SecretBinary", binarySource(Buffer.from(text))],
    ["in SecretBinary after a byte order mark", binarySource(Buffer.from(`\ufeff${text}`))],
    ["with spaces and line breaks around it", textSource(`\r\n\t ${text} \n`)],
  ])("%s, its numbers as the source spells them", async (_, source) => {
    expect(await render(ALL, source)).toEqual(want);
    expect(await render(EXTRACTED, source)).toEqual(want);
    expect(await render({ kind: "composed", keys: { k: { jmespath: "b.c" } } }, source)).toEqual({
      k: "1.10",
    });
    expect(await render({ kind: "composed", keys: { k: { template: "{{ a }}" } } }, source)).toEqual({
      k: want.a,
    });
  });
});

describe("a fault is found", () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  it("exactly where JSON.parse finds one, in any damaged JSON", () => {
    const signs = [..."{}[]:,\"'\\/#-+.0e \n\t\0\ufeff", "null", "True", "\\u00", "//", "\ud800"];
    const damage = fc.record({ at: fc.nat(), cut: fc.nat(2), add: fc.constantFrom("", ...signs) });
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.array(damage, { maxLength: 3 }), (json, damages) => {
        let text = json;
        for (const { at, cut, add } of damages) {
          const start = at % (text.length + 1);
          text = text.slice(0, start) + add + text.slice(start + cut);
        }
        const fault = findJsonFault(text);
        expect(fault === undefined).toBe(isJson(text));
        if (fault?.at !== undefined) expect(fault.at).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: runs(1_000) },
    );
  });
});
