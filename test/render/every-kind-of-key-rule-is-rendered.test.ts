import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyRule, KeySource } from "../../shared/bindings/binding.ts";
import { RenderError } from "../../shared/render/errors.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import type { RenderSource } from "../../shared/render/render-source.ts";
import { runs } from "../harness/property-runs.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { binarySource, CANARY, shownData, textSource, withKeys } from "./factories.ts";

const render = async (keys: KeyRule, source: RenderSource): Promise<Record<string, string>> => {
  const binding = withKeys(keys);
  return shownData(renderSecret(binding, [source], RELAY_METADATA, await loadRenderers(binding)));
};
const errorOf = async (keys: KeyRule, text: string): Promise<unknown> =>
  render(keys, textSource(text)).then(
    () => "no error",
    (error: unknown) => error,
  );
const composed = (keys: Record<string, KeySource>): KeyRule => ({ kind: "composed", keys });
const extracted = (rule: Partial<Extract<KeyRule, { kind: "extracted" }>>): KeyRule => ({
  kind: "extracted",
  include: ["*"],
  exclude: [],
  rename: [],
  ...rule,
});

const DB = `{
  "db": { "users": [{ "name": "ann", "port": 5432.0, "big": 12345678901234567890 }, { "name": "bob", "port": 1e3 }] },
  "db.name": "dotted", "version": 1.10, "other": 1.1, "on": true, "none": null, "empty": "", "uni": "p\\u00e4ss €😀",
  "encoded": "aGk=", "url": "_-8", "toString": "own"
}`;

describe("an expression", () => {
  it.each<[jmespath: string, want: string]>([
    ["db.users[0].name", "ann"],
    ["db.users[-1].name", "bob"],
    ['"db.name"', "dotted"],
    ["version", "1.10"],
    ["other", "1.1"],
    ["db.users[0].port", "5432.0"],
    ["db.users[1].port", "1e3"],
    ["db.users[0].big", "12345678901234567890"],
    ["db.users[*].port", "[5432.0,1e3]"],
    ["db.users[0]", '{"name":"ann","port":5432.0,"big":12345678901234567890}'],
    ["on", "true"],
    ["none || 'nothing'", "nothing"],
    ["empty", ""],
    ["uni", "päss €😀"],
    ["toString", "own"],
    ["db.users[?name=='bob'].port | [0]", "1e3"],
    ["db.users[?port==`5432`].name | [0]", "ann"],
    ["length(db.users)", "2"],
    ["join(', ', db.users[].name)", "ann, bob"],
    ["to_string(version)", "1.10"],
    ["to_string(db.users[0].port)", "5432.0"],
    ["reverse(db.users)[0].name", "bob"],
  ])("%s returns the value as spelled in the source", async (jmespath, want) => {
    expect(await render(composed({ k: { jmespath } }), textSource(DB))).toEqual({ k: want });
  });

  it.each(["nope", "none", "db.users[7].name", "db.constructor", "db.__proto__", "{a: on}.constructor"])(
    "%s finds nothing, and the error names the key",
    async (jmespath) => {
      const error = await errorOf(composed({ k: { jmespath } }), DB);
      expect(error).toMatchObject({ code: "SOURCE_KEY_MISSING", message: expect.stringContaining(" k ") });
    },
  );

  it("can read an array, which has no keys", async () => {
    const source = textSource('[{"a":1.50}]');
    expect(await render(composed({ k: { jmespath: "[0].a" } }), source)).toEqual({ k: "1.50" });
    expect(await errorOf(composed({ k: { key: "a" } }), "[1]")).toMatchObject({
      code: "SOURCE_NOT_JSON_OBJECT",
    });
  });

  it("whose result depends on the last bit of an oddly spelled number fails instead of guessing", async () => {
    const jmespath = "db.users[?port==`5432`].port | [0]";
    expect(await errorOf(composed({ k: { jmespath } }), DB)).toMatchObject({ code: "EXPRESSION_FAILED" });
  });
});

describe("a plain name beside an expression", () => {
  it("stays a name, also with dots", async () => {
    const keys = composed({ a: { key: "db.name" }, b: { jmespath: "db.users[0].name" }, c: { key: "none" } });
    expect(await render(keys, textSource(DB))).toEqual({ a: "dotted", b: "ann", c: "" });
  });

  it("of a built-in property of objects is not a key of the source", async () => {
    expect(await errorOf(composed({ k: { key: "constructor" } }), DB)).toMatchObject({
      code: "SOURCE_KEY_MISSING",
    });
  });
});

describe("decode", () => {
  it.each<[encoding: "base64" | "base64url", text: string, bytes: number[] | undefined]>([
    ["base64", "aGk=", [104, 105]],
    ["base64", "", []],
    ["base64", "aG\nk=\r\n", [104, 105]],
    ["base64", "aGk", undefined],
    ["base64", "aGk==", undefined],
    ["base64", " aGk=", undefined],
    ["base64", "aGl=", undefined],
    ["base64", "_-8=", undefined],
    ["base64", "aGk=aGk=", undefined],
    ["base64url", "_-8", [255, 239]],
    ["base64url", "_-8=", [255, 239]],
    ["base64url", "/+8=", undefined],
    ["base64url", "_-8==", undefined],
    ["base64url", "ä", undefined],
  ])("as %s of %j is exact or an error", async (decode, text, bytes) => {
    const keys = composed({ k: { key: "a", decode } });
    if (bytes === undefined) {
      expect(await errorOf(keys, JSON.stringify({ a: text }))).toMatchObject({ code: "DECODE_FAILED" });
      return;
    }
    const desired = renderSecret(
      withKeys(keys),
      [textSource(JSON.stringify({ a: text }))],
      RELAY_METADATA,
      await loadRenderers(withKeys(keys)),
    );
    expect([...(desired.data.get("k")?.expose() ?? [])]).toEqual(bytes);
  });

  it.each<[it: string, source: RenderSource, bytes: number[] | undefined]>([
    ["a string", textSource("_-8\n"), [255, 239]],
    ["bytes with valid base64url", binarySource(Buffer.from("_-8=")), [255, 239]],
    ["a string that is not base64url", textSource('{"a":"_-8="}'), undefined],
    ["bytes that are not base64url", binarySource(Uint8Array.from([0, 255])), undefined],
  ])("also decodes a whole value: %s", async (_it, source, bytes) => {
    const binding = withKeys({ kind: "value", key: "k", decode: "base64url" });
    const run = async () => renderSecret(binding, [source], RELAY_METADATA, await loadRenderers(binding));
    if (bytes === undefined) await expect(run()).rejects.toMatchObject({ code: "DECODE_FAILED" });
    else expect([...((await run()).data.get("k")?.expose() ?? [])]).toEqual(bytes);
  });

  it.each<[it: string, text: string, bytes: string]>([
    ["base64", "aGk=", "hi"],
    ["base64url", "_-8=", "\xff\xef"],
    ["base64 with line breaks", "aG\r\nk=\n", "hi"],
    ["base64 with extra bits, as Go does", "aGl=", "hi"],
    ["a word that could be base64", "true", "\xb6\xbb\x9e"],
    ["line breaks alone", "\n", ""],
    ["base64 without its padding", "aGk", "aGk"],
    ["base64url without its padding", "_-8", "_-8"],
    ["both alphabets in one text", "_+8=", "_+8="],
    ["padding inside", "aGk=aGk=", "aGk=aGk="],
    ["too much padding", "aGk==", "aGk=="],
    ["padding alone", "====", "===="],
    ["a space", " aGk=", " aGk="],
  ])("auto decodes what Go can decode, and leaves the rest: %s", async (_it, text, bytes) => {
    for (const keys of [
      composed({ k: { key: "a", decode: "auto" } }),
      extracted({ decode: "auto" }),
      { kind: "value", key: "k", decode: "auto" } as const,
    ]) {
      const source = textSource(keys.kind === "value" ? text : JSON.stringify({ a: text }));
      const binding = withKeys(keys);
      const { data } = renderSecret(binding, [source], RELAY_METADATA, await loadRenderers(binding));
      expect([...data.values()].map((value) => Buffer.from(value.expose()).toString("latin1"))).toEqual([
        bytes,
      ]);
    }
  });

  it.each([
    ["bytes", Uint8Array.from([0, 255])],
    ["text after a byte order mark", Buffer.from("\ufeffaGk=")],
  ])("auto leaves a whole value as it is: %s", async (_it, bytes) => {
    const binding = withKeys({ kind: "value", key: "k", decode: "auto" });
    const { data } = renderSecret(
      binding,
      [binarySource(bytes)],
      RELAY_METADATA,
      await loadRenderers(binding),
    );
    expect(Buffer.from(data.get("k")?.expose() ?? [])).toEqual(Buffer.from(bytes));
  });

  it("reverses encoding, for any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array(),
        fc.constantFrom(
          ["base64", "base64"] as const,
          ["base64url", "base64url"] as const,
          ["base64", "auto"] as const,
        ),
        async (bytes, [encoding, decode]) => {
          const binding = withKeys(composed({ k: { key: "a", decode } }));
          const text = JSON.stringify({ a: Buffer.from(bytes).toString(encoding) });
          const desired = renderSecret(
            binding,
            [textSource(text)],
            RELAY_METADATA,
            await loadRenderers(binding),
          );
          expect(Buffer.from(desired.data.get("k")?.expose() ?? [])).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });
});

describe("extract", () => {
  const SOURCE = '{"db_user":"u","db_pass":1.10,"db_old":"o","app":"a","b__c":"x"}';

  it.each<{ it: string; rule: object; want: Record<string, string> }>([
    {
      it: "selects every key",
      rule: {},
      want: { db_user: "u", db_pass: "1.10", db_old: "o", app: "a", b__c: "x" },
    },
    {
      it: "selects the keys that match a pattern",
      rule: { include: ["*_user", "app"] },
      want: { db_user: "u", app: "a" },
    },
    {
      it: "excludes keys",
      rule: { include: ["db_*"], exclude: ["*old"] },
      want: { db_user: "u", db_pass: "1.10" },
    },
    {
      it: "renames with the stars of the pattern, by the first rule that matches",
      rule: {
        include: ["db_*"],
        rename: [
          { pattern: "*_pass", to: "PASSWORD" },
          { pattern: "*_*", to: "*.*" },
        ],
      },
      want: { "db.user": "u", PASSWORD: "1.10", "db.old": "o" },
    },
    {
      it: "matches each star with as little as possible, also with nothing",
      rule: { include: ["b*"], rename: [{ pattern: "b*_*c", to: "r-*-*" }] },
      want: { "r--_": "x" },
    },
  ])("$it", async ({ rule, want }) => {
    expect(await render(extracted(rule), textSource(SOURCE))).toEqual(want);
  });

  it.each([
    ["DATA_KEYS_COLLIDE", { rename: [{ pattern: "db_*", to: "same" }] }],
    ["SOURCE_KEY_MISSING", { include: ["nope"] }],
    ["TARGET_EMPTY", { include: ["nope*"] }],
    ["DATA_KEY_INVALID", { rename: [{ pattern: "app", to: ".." }] }],
  ])("fails with %s if a rule cannot be applied", async (code, rule) => {
    expect(await errorOf(extracted(rule), SOURCE)).toMatchObject({ code });
  });
});

describe("an extract of a nested object", () => {
  const SOURCE = `{
    "db": { "main": { "user": "ann", "port": 5432.0, "opts": { "x": 1e3 }, "none": null } },
    "text": "{\\"user\\":\\"bob\\"}", "db.main": { "user": "cid" }, "list": [{ "a": "A" }], "word": "w", "none": null,
    "secret": "${CANARY}"
  }`;

  it.each<[jmespath: string, rule: object, want: Record<string, string>]>([
    ["db.main", {}, { user: "ann", port: "5432.0", opts: '{"x":1e3}', none: "" }],
    [
      "db.main",
      { include: ["u*", "port"], rename: [{ pattern: "*", to: "db_*" }] },
      { db_user: "ann", db_port: "5432.0" },
    ],
    ["text", {}, { user: "bob" }],
    ['"db.main"', {}, { user: "cid" }],
    ["list[0]", {}, { a: "A" }],
  ])("at %s has its keys", async (jmespath, rule, want) => {
    expect(await render(extracted({ jmespath, ...rule }), textSource(SOURCE))).toEqual(want);
  });

  it.each([
    ["nope", "finds nothing"],
    ["none", "finds nothing"],
    ["word", "no JSON object"],
    ["list", "no JSON object"],
    ["secret", "no JSON object"],
    ["abs(word)", ""],
  ])("at %s is refused, and the refusal quotes nothing", async (jmespath, why) => {
    const error = await errorOf(extracted({ jmespath }), SOURCE);
    expect(error).toMatchObject({ code: "EXPRESSION_FAILED", message: expect.stringContaining(why) });
    expect(inspect(error)).not.toContain(CANARY);
  });

  it("names a key that is missing in it", async () => {
    expect(await errorOf(extracted({ jmespath: "db.main", include: ["word"] }), SOURCE)).toMatchObject({
      code: "SOURCE_KEY_MISSING",
      message: expect.stringContaining("word"),
    });
  });

  it("is refused if one of its keys cannot be decoded", async () => {
    expect(await errorOf(extracted({ jmespath: "db.main", decode: "base64" }), SOURCE)).toMatchObject({
      code: "DECODE_FAILED",
      message: expect.stringContaining(" user "),
    });
  });
});

describe("a template", () => {
  it("prints numbers, null and objects as the source spells them", async () => {
    const template = "{{ version }}|{{ none }}|{{ db.users[0] }}|{{ db.users[0].port | plus: 1 }}|{{ uni }}";
    expect(await render(composed({ k: { template } }), textSource(DB))).toEqual({
      k: '1.10||{"name":"ann","port":5432.0,"big":12345678901234567890}|5433|päss €😀',
    });
  });

  it.each([
    ["{{ usre }}", "usre"],
    ["a\n{{ db.users[0].nmae }}", "line 2"],
    ["{{ toString.constructor }}", "toString.constructor"],
  ])("%j fails, and the error names the missing variable", async (template, named) => {
    expect(await errorOf(composed({ k: { template } }), DB)).toMatchObject({
      code: "TEMPLATE_VARIABLE_MISSING",
      message: expect.stringContaining(named),
    });
  });

  it("does not reveal a value that it uses as a name", async () => {
    const error = await errorOf(composed({ k: { template: "{{ a[b] }}" } }), `{"a":{},"b":"${CANARY}"}`);
    expect(error).toMatchObject({ code: "TEMPLATE_VARIABLE_MISSING" });
    expect(inspect(error)).not.toContain(CANARY);
  });
});

describe("for any content of the source", () => {
  const anyText = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc
      .dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "a", "b", "toString")), fc.jsonValue())
      .map((value) => JSON.stringify(value)),
    fc.string({ unit: "binary" }),
  );
  const anyRule = fc.constantFrom<KeyRule>(
    composed({ k: { jmespath: "a" }, l: { jmespath: "values(@)" } }),
    composed({ k: { jmespath: "a[].b | sort(@)" } }),
    composed({ k: { key: "a", decode: "base64" } }),
    composed({ k: { template: "{{ a }}{% for x in a %}{{ x.b | url_encode }}{{ x | json }}{% endfor %}" } }),
    composed({ k: { template: "{{ a | base64_decode | split: ',' | sort | join: '-' }}" } }),
    composed({ k: { template: "{{ 'x' | connection_url: host: a, user: b }}{{ a | pem_leaf }}" } }),
    composed({ k: { template: "{{ a | date: '%Y' }}{{ a | times: 2 | round }}{{ a.b.c | default: 'd' }}" } }),
    extracted({ exclude: ["b*"], rename: [{ pattern: "*a*", to: "*x*" }] }),
    extracted({ jmespath: "a", decode: "auto" }),
  );

  it("rendering returns data within the limits of Kubernetes or one of our errors, and the same every time", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyRule, async (text, rule) => {
        const run = async () => {
          try {
            return await render(rule, textSource(text));
          } catch (error) {
            expect(error).toBeInstanceOf(RenderError);
            return String(error);
          }
        };
        const result = await run();
        expect(await run()).toEqual(result);
        if (typeof result === "string") return;
        for (const [key, value] of Object.entries(result)) {
          expect(key).toMatch(/^(?!\.$|\.\.|__proto__$)[-._a-zA-Z0-9]{1,253}$/);
          expect(value.length).toBeLessThanOrEqual(1024 * 1024);
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it("no error quotes the content", async () => {
    const anyNasty = fc.constantFrom(
      `{"a":"${CANARY}"}`,
      `{"a":{"${CANARY}":1}}`,
      `{"a":["${CANARY}"],"b":"${CANARY}"}`,
      `"${CANARY}`,
      `{"a":{"b":"${CANARY}","c":1.0}}`,
    );
    await fc.assert(
      fc.asyncProperty(anyNasty, anyRule, async (text, rule) => {
        const error = await errorOf(rule, text);
        expect(inspect(error, { showHidden: true, depth: null })).not.toContain(CANARY);
      }),
    );
  });

  it("bytes that are not UTF-8 have no keys", async () => {
    const keys = composed({ k: { key: "a" } });
    await expect(render(keys, binarySource(Buffer.from('{"a":"\xff"}', "latin1")))).rejects.toMatchObject({
      code: "SOURCE_NOT_JSON_OBJECT",
    });
  });
});
