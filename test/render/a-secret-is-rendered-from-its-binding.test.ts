import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyRule } from "../../shared/bindings/binding.ts";
import { RenderError } from "../../shared/render/errors.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import {
  ARN,
  aBinding,
  binarySource,
  CANARY,
  shownData,
  textSource,
  VERSION,
  withKeys,
} from "./factories.ts";

const ALL: KeyRule = { kind: "all" };
const errorOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return "no error";
};

describe("the keys of a Secret", () => {
  it.each<{ it: string; keys: KeyRule; text: string; want: Record<string, string> }>([
    {
      it: "are the keys of the source's JSON object",
      keys: ALL,
      text: '{"username":"app","password":"p"}',
      want: { username: "app", password: "p" },
    },
    {
      it: "are the selected keys, under the names in the binding",
      keys: { kind: "selected", keys: { "tls.crt": "certificate", again: "certificate" } },
      text: '{"certificate":"c","other":"o"}',
      want: { "tls.crt": "c", again: "c" },
    },
    {
      it: "are one key for the whole value if the binding has value",
      keys: { kind: "value", key: "config" },
      text: '{"a":1}',
      want: { config: '{"a":1}' },
    },
    {
      it: "are one key for a value that is not JSON",
      keys: { kind: "value", key: "password" },
      text: "p@ss word\n",
      want: { password: "p@ss word\n" },
    },
    {
      it: "can be selected by the name of an object's built-in property",
      keys: { kind: "selected", keys: { a: "__proto__", b: "constructor" } },
      text: '{"__proto__":"x","constructor":"y"}',
      want: { a: "x", b: "y" },
    },
  ])("$it", ({ keys, text, want }) => {
    expect(shownData(renderSecret(withKeys(keys), [textSource(text)], RELAY_METADATA))).toEqual(want);
  });

  it("keep a binary value byte for byte", () => {
    const bytes = Uint8Array.from([0, 255, 128, 10]);
    const desired = renderSecret(
      withKeys({ kind: "value", key: "keystore" }),
      [binarySource(bytes)],
      RELAY_METADATA,
    );
    expect([...(desired.data.get("keystore")?.expose() ?? [])]).toEqual([...bytes]);
  });
});

describe("a property of the source becomes text", () => {
  it.each([
    { it: "a string as it is", json: '"p\\u00e4ss\\n\\"€\\ud83d\\ude00"', want: 'päss\n"€😀' },
    { it: "an empty string as empty", json: '""', want: "" },
    { it: "a decimal with its zeros", json: "1.10", want: "1.10" },
    { it: "an exponent as spelled", json: "1e3", want: "1e3" },
    {
      it: "a number beyond a double, exactly",
      json: "12345678901234567890.123456789",
      want: "12345678901234567890.123456789",
    },
    { it: "a number too large for a double, as spelled", json: "1E999", want: "1E999" },
    { it: "minus zero as spelled", json: "-0", want: "-0" },
    { it: "true", json: "true", want: "true" },
    { it: "false", json: "false", want: "false" },
    { it: "null as empty", json: "null", want: "" },
    {
      it: "an object as JSON, with the spelling of its numbers",
      json: '{ "port": 5432.0, "tags": [1.50, null, "x"] }',
      want: '{"port":5432.0,"tags":[1.50,null,"x"]}',
    },
    { it: "an array as JSON", json: "[ ]", want: "[]" },
    {
      it: "an object with a nested `__proto__`, unchanged",
      json: '{"__proto__":{"a":1.0}}',
      want: '{"__proto__":{"a":1.0}}',
    },
    {
      it: "half a surrogate pair as the replacement character, because it is not valid Unicode",
      json: '"\\ud800"',
      want: "\ufffd",
    },
  ])("$it", ({ json, want }) => {
    const desired = renderSecret(withKeys(ALL), [textSource(`{"key": ${json}}`)], RELAY_METADATA);
    expect(shownData(desired)).toEqual({ key: want });
  });

  it.each([
    { text: '{"a":1.10,"a":2.20}', want: { a: "2.20" } },
    { text: '{"a":1.0,"a":"x"}', want: { a: "x" } },
    { text: '{"a":"x","a":1.0}', want: { a: "1.0" } },
    { text: '{"a":{"b":1.0},"a":{"b":2.0}}', want: { a: '{"b":2.0}' } },
  ])("and the last of two equal keys wins: $text", ({ text, want }) => {
    expect(shownData(renderSecret(withKeys(ALL), [textSource(text)], RELAY_METADATA))).toEqual(want);
  });
});

describe("the annotations of a Secret", () => {
  it("name its source and what the binding adds, and nothing that depends on a value", () => {
    const binding = aBinding({
      labels: { team: "payments" },
      annotations: { note: "n" },
      type: "example.com/db",
    });

    const desired = renderSecret(binding, [textSource(`{"password":"${CANARY}"}`)], RELAY_METADATA);

    expect(desired).toMatchObject({
      target: binding.target,
      versionId: VERSION,
      type: "example.com/db",
      labels: { team: "payments", [RELAY_METADATA.managedLabel]: RELAY_METADATA.identity },
      annotations: {
        note: "n",
        "secret-relay/version-id": VERSION,
        "secret-relay/source": ARN,
        "secret-relay/binding-fingerprint": "fingerprint-1",
      },
    });
    const other = renderSecret(binding, [textSource('{"password":"another"}')], RELAY_METADATA);
    expect({ ...other, data: [] }).toEqual({ ...desired, data: [] });
  });
});

describe("a source that does not fit its binding", () => {
  const big = "x".repeat(1024 * 1024);

  it.each<{ it: string; keys?: KeyRule; text: string; code: string }>([
    { it: "is not JSON", text: `${CANARY}`, code: "SOURCE_NOT_JSON_OBJECT" },
    { it: "is incomplete JSON", text: `{"password":"${CANARY}`, code: "SOURCE_NOT_JSON_OBJECT" },
    { it: "is a JSON array", text: `["${CANARY}"]`, code: "SOURCE_NOT_JSON_OBJECT" },
    { it: "is a JSON string", text: `"${CANARY}"`, code: "SOURCE_NOT_JSON_OBJECT" },
    { it: "is JSON null", text: "null", code: "SOURCE_NOT_JSON_OBJECT" },
    {
      it: "is nested more deeply than the stack allows",
      text: `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
      code: "SOURCE_NOT_JSON_OBJECT",
    },
    { it: "has no keys", text: "{}", code: "TARGET_EMPTY" },
    { it: "has a key with a space", text: `{"my key":"${CANARY}"}`, code: "DATA_KEY_INVALID" },
    { it: "has an empty key", text: '{"":"v"}', code: "DATA_KEY_INVALID" },
    { it: "has the key `.`", text: '{".":"v"}', code: "DATA_KEY_INVALID" },
    { it: "has a key that begins with two dots", text: '{"..data":"v"}', code: "DATA_KEY_INVALID" },
    {
      it: "has a key of 254 characters",
      text: JSON.stringify({ ["k".repeat(254)]: "v" }),
      code: "DATA_KEY_INVALID",
    },
    {
      it: "has the key `__proto__`, which would be lost on the way",
      text: '{"__proto__":"v"}',
      code: "DATA_KEY_INVALID",
    },
    {
      it: "exceeds the size limit of a Secret",
      keys: { kind: "value", key: "v" },
      text: `${big}x`,
      code: "TARGET_TOO_LARGE",
    },
    {
      it: "exceeds the size limit of a Secret because one key is used twice",
      keys: { kind: "selected", keys: { a: "v", b: "v" } },
      text: JSON.stringify({ v: big }),
      code: "TARGET_TOO_LARGE",
    },
  ])("because it $it is $code", ({ keys = ALL, text, code }) => {
    const error = errorOf(() => renderSecret(withKeys(keys), [textSource(text)], RELAY_METADATA));
    expect(error).toMatchObject({ code, retryable: false });
    expect(inspect(error)).not.toContain(CANARY);
  });

  it("because it is too large is reported with the limit, and without the length of a value", () => {
    const error = errorOf(() =>
      renderSecret(withKeys({ kind: "value", key: "v" }), [textSource(`${big}x`)], RELAY_METADATA),
    );

    expect((error as Error).message.match(/[0-9]+/g)).toEqual(["1048576"]);
  });

  it("because it is not UTF-8 and the binding wants keys is SOURCE_NOT_JSON_OBJECT", () => {
    const error = errorOf(() =>
      renderSecret(withKeys(ALL), [binarySource(Buffer.from([0xff]))], RELAY_METADATA),
    );
    expect(error).toMatchObject({ code: "SOURCE_NOT_JSON_OBJECT" });
  });

  it("is reported with all of its missing keys at once", () => {
    const keys: KeyRule = { kind: "selected", keys: { a: "one", b: "two", c: "three" } };
    const error = errorOf(() =>
      renderSecret(withKeys(keys), [textSource(`{"two":"${CANARY}"}`)], RELAY_METADATA),
    );
    expect(error).toMatchObject({
      code: "SOURCE_KEY_MISSING",
      message: expect.stringContaining("one, three"),
    });
    expect(String(error)).not.toContain(CANARY);
  });

  it.each([
    { it: "a key of 253 characters", text: JSON.stringify({ ["k".repeat(253)]: "v" }) },
    { it: "a key of dots and dashes", text: '{".a":"v","a..b":"v","-_-":"v"}' },
    { it: "exactly as many bytes as a Secret can have", text: JSON.stringify({ v: big }) },
  ])("is not one with $it", ({ text }) => {
    expect(renderSecret(withKeys(ALL), [textSource(text)], RELAY_METADATA).data.size).toBeGreaterThan(0);
  });
});

describe("for any content of the source", () => {
  const anyText = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc
      .dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "a", "tls.crt")), fc.jsonValue())
      .map((value) => JSON.stringify(value)),
    fc.string({ unit: "binary" }),
  );
  const anyKeys = fc.constantFrom<KeyRule>(
    ALL,
    { kind: "selected", keys: { a: "a" } },
    { kind: "value", key: "v" },
  );

  it("rendering returns valid data or one of our errors, and the same every time", () => {
    fc.assert(
      fc.property(anyText, anyKeys, (text, keys) => {
        const run = () => {
          try {
            return shownData(renderSecret(withKeys(keys), [textSource(text)], RELAY_METADATA));
          } catch (error) {
            expect(error).toBeInstanceOf(RenderError);
            return String(error);
          }
        };
        const result = run();
        expect(run()).toEqual(result);
        if (typeof result === "string") return;
        for (const key of Object.keys(result))
          expect(key).toMatch(/^(?!\.$|\.\.|__proto__$)[-._a-zA-Z0-9]{1,253}$/);
      }),
    );
  });

  it("every string property is copied unchanged", () => {
    const anyProperties = fc.dictionary(
      fc.stringMatching(/^[a-zA-Z][-._a-zA-Z0-9]{0,20}$/),
      fc.string({ unit: "grapheme" }),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(anyProperties, (properties) => {
        expect(
          shownData(renderSecret(withKeys(ALL), [textSource(JSON.stringify(properties))], RELAY_METADATA)),
        ).toEqual({
          ...properties,
        });
      }),
    );
  });

  it("no error repeats any of its values", () => {
    const anyNasty = fc
      .tuple(fc.json(), fc.constantFrom(CANARY, `"${CANARY}"`, `{"a b":"${CANARY}"}`, `{"a":["${CANARY}"`))
      .chain(([json, canary]) =>
        fc.constantFrom(canary, `${json}${canary}`, `{"a b":["${CANARY}",${json}]}`),
      );
    fc.assert(
      fc.property(
        anyNasty,
        fc.constantFrom<KeyRule>(ALL, { kind: "selected", keys: { a: "a" } }),
        (text, keys) => {
          const error = errorOf(() => renderSecret(withKeys(keys), [textSource(text)], RELAY_METADATA));
          expect(inspect(error, { showHidden: true, depth: null })).not.toContain(CANARY);
        },
      ),
    );
  });
});
