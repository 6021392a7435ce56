import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { convertManifests } from "../../cli/import-eso/convert-manifests.ts";
import { readManifests } from "../../cli/import-eso/manifest.ts";
import { runs } from "../harness/property-runs.ts";
import { externalSecret, OPTIONS, pick, store } from "./manifests.ts";

const KEYS = [
  ...["apiVersion", "kind", "metadata", "name", "namespace", "spec", "data", "dataFrom", "items", "labels"],
  ...[
    "secretKey",
    "remoteRef",
    "key",
    "property",
    "version",
    "decodingStrategy",
    "extract",
    "find",
    "rewrite",
  ],
  ...[
    "target",
    "template",
    "templateFrom",
    "creationPolicy",
    "deletionPolicy",
    "secretStoreRef",
    "sourceRef",
  ],
  ...["provider", "aws", "role", "regexp", "source", "transform", "namespaceSelector", "externalSecretSpec"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty"],
];
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    "List",
    "ExternalSecret",
    "ClusterExternalSecret",
    "SecretStore",
    "{{ .x }}",
    "",
    "(",
    "[a-",
  ),
  fc.constantFrom<unknown>(null, [], {}, [null], [[]], { __proto__: null, items: [null] }, -1),
  fc.constant(pick("a")),
);

/** Manifests that can be converted, with a few changed values. */
const anyObjects = fc
  .array(fc.tuple(fc.nat(), fc.constantFrom(...KEYS), anyValue), { maxLength: 5 })
  .map((damages) => {
    const objects: unknown = [
      store(),
      externalSecret({
        data: [pick("user", { property: "user" })],
        dataFrom: [{ extract: { key: "prod/api" }, rewrite: [{ regexp: { source: "^db_", target: "" } }] }],
        target: { name: "app", template: { data: { url: "x-{{ .user }}" } } },
      }),
      {
        apiVersion: "external-secrets.io/v1",
        kind: "ClusterExternalSecret",
        metadata: { name: "all" },
        spec: {
          namespaces: ["shop"],
          externalSecretSpec: {
            secretStoreRef: { kind: "ClusterSecretStore", name: "aws" },
            data: [pick("a")],
          },
        },
      },
    ];
    for (const [where, key, value] of damages) damage(objects, where, key, structuredClone(value));
    return objects as unknown[];
  });

describe("any manifest", () => {
  it("is converted completely, or refused with a code and a location", () => {
    let [converted, refused] = [0, 0];
    fc.assert(
      fc.property(anyObjects, (objects) => {
        const text = objects.map((object) => JSON.stringify(object) ?? "null").join("\n---\n");
        const { manifests, problems } = readManifests("all.yaml", text);
        for (const { reason } of problems) expect(reason).toMatch(/^line [0-9]+: |^its aliases/);
        const result = convertManifests(manifests, OPTIONS);
        for (const { entry } of result.converted) {
          converted += 1;
          expect(entry.targets.length).toBeGreaterThan(0);
        }
        for (const { objections } of result.notConverted) {
          refused += 1;
          expect(objections.length).toBeGreaterThan(0);
          for (const objection of objections) {
            expect(objection.code).toMatch(/^[A-Z][A-Z_]+$/);
            expect(typeof objection.path).toBe("string");
          }
        }
        expect(({} as Record<string, unknown>).items).toBeUndefined(); // no prototype was changed
      }),
      { numRuns: runs(300) },
    );
    expect(Math.min(converted, refused)).toBeGreaterThan(50);
  });

  it("with any content is read, or reported with its line", () => {
    const whole = stringify(externalSecret({ data: [pick("user")] }));
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.string({ unit: "binary" })), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(edits, fc.oneof(fc.constant(whole), fc.string({ unit: "binary" })), (changes, was) => {
        let text = was;
        for (const [where, length, put] of changes) {
          const at = where % (text.length + 1);
          text = text.slice(0, at) + put + text.slice(at + length);
        }
        const { problems } = readManifests("all.yaml", text);
        for (const { reason } of problems) expect(reason).toMatch(/^line [0-9]+: |^its aliases/);
      }),
      { numRuns: runs(200) },
    );
  });

  it.each([
    ["lists without an end", "[".repeat(100_000)],
    ["maps without an end", "{a: ".repeat(50_000)],
    ["hyphens without an end", "- ".repeat(50_000)],
    [
      "a chain of aliases",
      Array.from({ length: 30 }, (_, at) => `a${at}: &a${at} [*a${at - 1}, *a${at - 1}]`).join("\n"),
    ],
    ["more brackets than any manifest has", "}".repeat(2_000_000)],
  ])("with %s is reported, without delay", (_what, text) => {
    const { manifests, problems } = readManifests("all.yaml", text);
    expect(manifests).toEqual([]);
    expect(problems).toHaveLength(1);
  });
});

it.each([
  "metadata: &m { name: app, namespace: shop, labels: *m }\nspec: { data: [] }",
  "metadata: { name: app, namespace: shop }\nspec: &s { data: [*s], dataFrom: [*s], target: *s, secretStoreRef: *s }",
])("a manifest that contains itself is refused with its location: %s", (rest) => {
  const { manifests } = readManifests(
    "all.yaml",
    `apiVersion: external-secrets.io/v1\nkind: ExternalSecret\n${rest}`,
  );
  const { converted, notConverted } = convertManifests(manifests, OPTIONS);
  expect(converted).toEqual([]);
  expect(notConverted[0]?.objections.length ?? 0).toBeGreaterThan(0);
});

function damage(objects: unknown, where: number, key: string, value: unknown): void {
  const places: (Record<string, unknown> | unknown[])[] = [];
  const walk = (at: unknown): void => {
    if (typeof at !== "object" || at === null) return;
    places.push(at as Record<string, unknown>);
    for (const child of Object.values(at)) walk(child);
  };
  walk(objects);
  const place = places[1 + (where % Math.max(1, places.length - 1))];
  if (place === undefined) return;
  if (Array.isArray(place)) place.push(value);
  else if (where % 4 === 0) delete place[Object.keys(place)[where % 5] ?? ""];
  else Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true });
}
