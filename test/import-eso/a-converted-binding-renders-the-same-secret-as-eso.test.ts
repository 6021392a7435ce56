import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { convertManifests } from "../../cli/import-eso/convert-manifests.ts";
import { templateRule } from "../../cli/import-eso/go-template.ts";
import { readManifests } from "../../cli/import-eso/manifest.ts";
import { renameOf } from "../../cli/import-eso/rewrite.ts";
import { writeBindings } from "../../cli/import-eso/write-bindings.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { runs } from "../harness/property-runs.ts";
import { convert, externalSecret, OPTIONS, store } from "./manifests.ts";
import { dataOf, renderConverted } from "./render-converted.ts";
import { decodedIfEncoded, lookUp, objectIn, rewrite } from "./simulate-eso.ts";

/** Names that collide, have dots, look like indices, or equal a built-in property. */
const anyName = fc.constantFrom(
  "a",
  "b",
  "0",
  "1",
  "a.b",
  "a.0",
  "a\\",
  "b.a.0",
  "x-y",
  "x y",
  "__proto__",
  "constructor",
  "ü",
);
const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "false", "null", "0"));
const { anyTree } = fc.letrec<{ anyTree: unknown }>((tie) => ({
  anyTree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    anyText,
    fc.dictionary(anyName, tie("anyTree"), { maxKeys: 4 }),
    fc.array(tie("anyTree"), { maxLength: 3 }),
  ),
}));
const anySource = fc.dictionary(anyName, anyTree, { maxKeys: 5 });
const anyPath = fc.array(fc.constantFrom("a", "b", "0", "1", "x-y", "x y", "ü", "__proto__"), {
  minLength: 1,
  maxLength: 3,
});

const anySeparators = fc.tuple(fc.constantFrom(".", "\\."), fc.constantFrom(".", "\\."));

describe("a property", () => {
  it("finds the same string as the operator, or is refused where the operator finds nothing", async () => {
    await fc.assert(
      fc.asyncProperty(anySource, anyPath, anySeparators, async (source, parts, separators) => {
        const property = parts
          .map((part, index) => (index === 0 ? "" : separators[index % 2]) + part)
          .join("");
        fc.pre(parts.length === 1 || !parts.includes("__proto__")); // refused
        const found = lookUp(source, property);
        // The notes cover objects, nulls and lists: their spelling differs.
        fc.pre(found === undefined || typeof found === "string");
        const made = await render(
          { data: [{ secretKey: "key", remoteRef: { key: "prod/db", property } }] },
          source,
        );

        expect(made).toEqual(found === undefined ? undefined : { key: found });
      }),
      { numRuns: runs(100) },
    );
  });

  it("of any spelling is converted or refused, and nothing throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."ab.0*?|#@\\!{}[]\"'") })),
        (property) => {
          const { converted, notConverted } = convert([
            store(),
            externalSecret({ data: [{ secretKey: "key", remoteRef: { key: "prod/db", property } }] }),
          ]);
          expect(converted.length + notConverted.length).toBe(1);
          if (/[*?|#@!{}[\]"']/.test(property)) expect(notConverted).toHaveLength(1);
        },
      ),
    );
  });
});

describe("an extract", () => {
  const anyKey = fc.stringMatching(/^[a-c_.-]{1,6}$/).filter((key) => !key.startsWith(".."));
  const anyFlat = fc.dictionary(
    anyKey.filter((key) => key !== "."),
    anyText,
    { minKeys: 1, maxKeys: 6 },
  );

  it("has the keys and values of its source", async () => {
    await fc.assert(
      fc.asyncProperty(anyFlat, async (source) => {
        expect(await render({ dataFrom: [{ extract: { key: "prod/db" } }] }, source)).toEqual({ ...source });
      }),
    );
  });

  it("of a nested object has its keys and values, or is refused where the operator finds no object", async () => {
    const anyKeys = fc.dictionary(fc.constantFrom("k", "l.m", "n-o"), anyText, { minKeys: 1, maxKeys: 3 });
    const anyNested = fc.oneof(
      anyKeys,
      anyKeys.map((keys) => JSON.stringify(keys)),
      anyTree,
    );
    const anyOuter = fc.dictionary(anyName, fc.oneof(anyNested, fc.dictionary(anyName, anyNested)), {
      maxKeys: 4,
    });
    await fc.assert(
      fc.asyncProperty(anyOuter, anyPath, async (source, parts) => {
        fc.pre(!parts.includes("__proto__")); // refused
        const property = parts.join(".");
        const found = objectIn(lookUp(source, property));
        // The notes cover values other than strings, and illegal keys.
        fc.pre(found === undefined || Object.values(found).every((value) => typeof value === "string"));
        fc.pre(Object.keys(found ?? {}).every((key) => /^[-._a-zA-Z0-9]+$/.test(key) && key !== "__proto__"));
        const made = await render({ dataFrom: [{ extract: { key: "prod/db", property } }] }, source);

        expect(made).toEqual(
          found === undefined || Object.keys(found).length === 0 ? undefined : { ...found },
        );
      }),
      { numRuns: runs(100) },
    );
  });

  it.each([
    ["Auto", { decodingStrategy: "Auto" }],
    ["None", {}],
  ])("is decoded as by Go, with decodingStrategy: %s", async (strategy, more) => {
    const anyEncoded = fc.oneof(
      anyText,
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")),
      fc
        .uint8Array()
        .map((bytes) => Buffer.from(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "_")),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64url")),
      fc.string({ unit: fc.constantFrom(..."aZ09+/-_=\r\n"), maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom("a", "b"), anyEncoded, { minKeys: 1 }),
        async (source) => {
          const expected = Object.entries(source).map(([key, text]) => [
            key,
            strategy === "Auto" ? decodedIfEncoded(text) : text,
          ]);

          expect(await render({ dataFrom: [{ extract: { key: "prod/db", ...more } }] }, source)).toEqual(
            Object.fromEntries(expected),
          );
        },
      ),
      { numRuns: runs(100) },
    );
  });

  it("is renamed as by the operator's expressions", async () => {
    const anyLiteral = fc.stringMatching(/^[a-c_-]{0,3}$/);
    const anyRewrite = fc.oneof(
      fc.record({
        source: fc
          .tuple(fc.constantFrom("", "^"), anyLiteral, anyLiteral, fc.constantFrom("", "$"))
          .map(([start, a, b, end]) => `${start}${a}(.*)${b}${end}`),
        target: anyLiteral.map((a) => `${a}\${1}z`),
      }),
      fc.record({ source: anyLiteral.map((a) => `^${a}`), target: anyLiteral }),
      fc.record({ source: anyLiteral.map((a) => `${a}$`), target: anyLiteral }),
    );
    await fc.assert(
      fc.asyncProperty(anyFlat, anyRewrite, async (source, regexp) => {
        fc.pre(renameOf(regexp.source, regexp.target) !== undefined);
        const rewritten = Object.entries(source).map(
          ([key, value]) => [rewrite(key, regexp), value] as const,
        );
        const keys = rewritten.map(([key]) => key);
        const isLegal = keys.every(
          (key) => /^[-._a-zA-Z0-9]+$/.test(key) && key !== "." && !key.startsWith(".."),
        );
        const made = await render(
          { dataFrom: [{ extract: { key: "prod/db" }, rewrite: [{ regexp }] }] },
          source,
        );

        // Two keys with one resulting name: the operator keeps either of them, the relay refuses.
        expect(made).toEqual(
          isLegal && new Set(keys).size === keys.length ? Object.fromEntries(rewritten) : undefined,
        );
      }),
      { numRuns: runs(100) },
    );
  });
});

describe("a template", () => {
  const anyPiece = fc.oneof(
    fc.string().filter((text) => !/[{}%]/.test(text)),
    fc.constantFrom(
      "{{ .user }}",
      "{{.password}}",
      '{{ index . "user" }}',
      "{{ .password | b64enc }}",
      "{",
      "}",
      "\n",
      "{{ .user|toString }}",
    ),
  );

  it("renders the same string", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyPiece, { minLength: 1, maxLength: 6 }),
        anyText,
        anyText,
        async (pieces, user, password) => {
          const text = pieces.join("");
          fc.pre(templateRule(text).kind === "template" && text !== "");
          const filled = text.replace(/\{\{([\s\S]*?)\}\}/g, (_, action: string) => {
            const value = action.includes("user") ? user : password;
            return action.includes("b64enc") ? Buffer.from(value).toString("base64") : value;
          });
          const spec = {
            target: { template: { data: { made: text } } },
            data: [
              { secretKey: "user", remoteRef: { key: "prod/db", property: "name" } },
              { secretKey: "password", remoteRef: { key: "prod/db", property: "pass" } },
            ],
          };

          expect(await render(spec, { name: user, pass: password })).toEqual({ made: filled });
        },
      ),
      { numRuns: runs(60) },
    );
  });
});

describe("any manifest", () => {
  it("becomes a binding that can be published, or has objections with a location and a reason", () => {
    const anyField = fc.constantFrom(
      ..."data dataFrom target secretStoreRef refreshInterval refreshPolicy secretKey remoteRef key property version decodingStrategy extract find rewrite regexp source target template type metadata labels name kind creationPolicy deletionPolicy immutable".split(
        " ",
      ),
    );
    const { anyValue } = fc.letrec<{ anyValue: unknown }>((tie) => ({
      anyValue: fc.oneof(
        { depthSize: "medium" },
        fc.constantFrom(
          "a",
          "prod/db",
          "aws",
          "ClusterSecretStore",
          "Owner",
          "Base64",
          "0",
          "{{ .a }}",
          "^a(.*)$",
        ),
        fc.anything({ maxDepth: 1 }),
        fc.dictionary(anyField, tie("anyValue"), { maxKeys: 5 }),
        fc.array(tie("anyValue"), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(anyField, anyValue), anyValue, (spec, metadata) => {
        const manifest = {
          file: "x.yaml",
          apiVersion: "external-secrets.io/v1",
          kind: "ExternalSecret",
          name: "app",
          object: { spec, metadata },
        };
        const { converted, notConverted } = convertManifests([manifest], { ...OPTIONS, assumeStores: true });

        expect(converted.length + notConverted.length).toBe(1);
        if (converted.length > 0) loadBindings(writeBindings(converted, OPTIONS), "bindings.yaml");
        for (const { objections } of notConverted) {
          expect(objections.length).toBeGreaterThan(0);
          for (const { path, reason } of objections) {
            expect(path).toMatch(/^(spec|metadata|apiVersion)/);
            expect(reason).not.toBe("");
          }
        }
      }),
      { numRuns: runs(200) },
    );
  });

  it("is read or reported, for any content of the file", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."a:\n -{}[]&*!|>'\"%#,") })),
        (text) => {
          const { manifests, problems } = readManifests("x.yaml", text);
          expect(manifests.length > 0 ? problems : []).toEqual([]);
        },
      ),
      { numRuns: runs(200) },
    );
  });
});

/** The data that the relay writes; undefined if it refuses. */
async function render(spec: object, source: object): Promise<Record<string, string> | undefined> {
  const { converted, notConverted } = convert([store(), externalSecret(spec)]);
  expect(notConverted).toEqual([]);
  try {
    const [secret] = await renderConverted(converted, () => JSON.stringify(source));
    return dataOf(secret);
  } catch {
    return undefined;
  }
}

it("a document survives a round trip", () => {
  expect(readManifests("x.yaml", stringify(store())).manifests).toHaveLength(1);
});
