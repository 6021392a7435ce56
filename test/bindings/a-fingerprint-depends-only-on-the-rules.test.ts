import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { anyBindingsFile } from "./any-bindings-file.ts";
import { withBindings } from "./bindings-text.ts";

const fingerprintOf = (binding: string): string | undefined =>
  loadBindings(withBindings(binding), "bindings.yaml").bindings[0]?.fingerprint;

const TARGETS = "targets: [{ namespace: shop, name: db }]";
const BASE = `  - { source: prod/db, ${TARGETS}, keys: { A: a, B: b }, labels: { x: a, y: b }, annotations: { z: c } }\n`;

describe("a fingerprint stays the same when", () => {
  it.each([
    [
      "keys and labels change places",
      BASE.replace("A: a, B: b", "B: b, A: a").replace("x: a, y: b", "y: b, x: a"),
    ],
    ["quotes are added", BASE.replace("A: a", '"A": "a"')],
    ["a default is written out", BASE.replace("keys", "type: Opaque, keys")],
    ["the target moves", BASE.replace("name: db", "name: other")],
    ["adopt changes, as that writes nothing", BASE.replace("keys", "adopt: true, keys")],
    ["a webhook id is added, as that writes nothing", BASE.replace("keys", "webhookId: shop, keys")],
  ])("%s", (_, changed) => {
    expect(changed).not.toBe(BASE);
    expect(fingerprintOf(changed)).toBe(fingerprintOf(BASE));
  });

  it("a list of keys is written as a map", () => {
    expect(fingerprintOf(`  - { source: a, ${TARGETS}, keys: [b, a] }`)).toBe(
      fingerprintOf(`  - { source: a, ${TARGETS}, keys: { a: a, b: b } }`),
    );
  });

  it("the file is reordered in any way", () => {
    fc.assert(
      fc.property(anyBindingsFile, (file) => {
        const reversed = reversedKeys({ ...file, bindings: file.bindings.toReversed().map(reversedKeys) });

        expect(fingerprintsOf(stringify(reversed))).toEqual(fingerprintsOf(stringify(file)));
      }),
    );
  });
});

describe("a fingerprint of keys made of several sources differs when", () => {
  const named = `  - { sources: [{ source: a, name: x }, { source: b, name: y }], ${TARGETS}, keys: { A: { template: "{{ x }}" }, B: y } }`;

  it.each([
    ["the template", named.replace("{{ x }}", "{{ x | strip }}")],
    ["a key", named.replace("B: y", "B: x")],
    [
      "the names of the sources",
      named.replace("name: x", "name: z").replace("name: y", "name: x").replace("name: z", "name: y"),
    ],
    ["a source", named.replace("source: b", "source: c")],
    ["a source sets keys of its own", named.replace("name: y", "name: y, value: C")],
    [
      "the order of the sources",
      named
        .replace("source: a, name: x", "source: b, name: y")
        .replace("{ source: b, name: y }]", "{ source: a, name: x }]"),
    ],
  ])("%s changes", (_, changed) => {
    expect(changed).not.toBe(named);
    expect(fingerprintOf(changed)).not.toBe(fingerprintOf(named));
  });

  it("but not when its keys change places", () => {
    expect(
      fingerprintOf(named.replace('A: { template: "{{ x }}" }, B: y', 'B: y, A: { template: "{{ x }}" }')),
    ).toBe(fingerprintOf(named));
  });
});

describe("a fingerprint differs when", () => {
  it.each([
    ["the source", BASE.replace("prod/db", "prod/other")],
    ["a source key", BASE.replace("A: a", "A: c")],
    ["a Secret key", BASE.replace("A: a", "C: a")],
    ["the kind of selection", BASE.replace("{ A: a, B: b }", "all")],
    ["the type", BASE.replace("keys", "type: example.com/a, keys")],
    ["a label", BASE.replace("x: a", "x: b")],
    ["the deletion policy", BASE.replace("keys", "deletionPolicy: delete, keys")],
    ["an annotation", BASE.replace("z: c", "z: d")],
    ["a label becomes an annotation", BASE.replace(", y: b", "").replace("z: c", "z: c, y: b")],
  ])("%s changes", (_, changed) => {
    expect(changed).not.toBe(BASE);
    expect(fingerprintOf(changed)).not.toBe(fingerprintOf(BASE));
  });
});

const withRules = (rules: string): string => `  - { source: prod/db, ${TARGETS}, ${rules} }\n`;

describe("a fingerprint of a binding with more than plain keys", () => {
  it.each<[what: string, one: string, other: string]>([
    ["a name or the same as an expression", "keys: { a: b }", "keys: { a: { jmespath: b } }"],
    ["an expression", "keys: { a: { jmespath: b } }", "keys: { a: { jmespath: c } }"],
    ["a template", "keys: { a: { template: b } }", "keys: { a: { template: c } }"],
    ["decoding", "keys: { a: { key: b } }", "keys: { a: { key: b, decode: base64 } }"],
    ["the encoding", "keys: { a: { key: b, decode: base64 } }", "keys: { a: { key: b, decode: base64url } }"],
    ["everything or everything by a pattern", "keys: all", "extract: { include: ['*'] }"],
    ["a pattern", "extract: { include: ['a*'] }", "extract: { include: ['b*'] }"],
    ["an exclude pattern", "extract: { include: ['a*'] }", "extract: { include: ['a*'], exclude: ['ab'] }"],
    ["where the object is", "extract: { include: ['*'] }", "extract: { include: ['*'], jmespath: a }"],
    ["decoding of all keys", "extract: { include: ['*'] }", "extract: { include: ['*'], decode: auto }"],
    [
      "the order of renames",
      "extract: { rename: [{ pattern: 'a*', to: '*' }, { pattern: '*b', to: '*' }] }",
      "extract: { rename: [{ pattern: '*b', to: '*' }, { pattern: 'a*', to: '*' }] }",
    ],
    ["ownership", "keys: all", "ownership: keys"],
    ["immutability", "keys: all", "immutable: true, onChange: refuse"],
    ["the onChange policy", "immutable: true, onChange: replace", "immutable: true, onChange: refuse"],
  ])("differs by %s", (_, one, other) => {
    expect(fingerprintOf(withRules(one))).not.toBe(fingerprintOf(withRules(other)));
  });

  it.each<[what: string, one: string, other: string]>([
    ["the order of keys", "keys: { a: { jmespath: b }, c: d }", "keys: { c: d, a: { jmespath: b } }"],
    [
      "a name or its long form, beside another key",
      "keys: { a: b, c: { jmespath: d } }",
      "keys: { a: { key: b }, c: { jmespath: d } }",
    ],
    ["the order of include patterns", "extract: { include: [a, b] }", "extract: { include: [b, a] }"],
    ["a default that is written out", "keys: all", "ownership: secret, immutable: false"],
  ])("does not differ by %s", (_, one, other) => {
    expect(fingerprintOf(withRules(one))).toBe(fingerprintOf(withRules(other)));
  });
});

it("a fingerprint is the same in every release: a new one would rewrite every Secret of every cluster", () => {
  expect(fingerprintOf(BASE)).toBe("2d244f5e024a7d81");
});

const reversedKeys = <T extends object>(map: T): T =>
  Object.fromEntries(Object.entries(map).toReversed()) as T;

/** The fingerprint of every target, sorted by target. */
function fingerprintsOf(text: string): string[] {
  const { bindings } = loadBindings(text, "bindings.yaml");
  return bindings
    .map(({ target, fingerprint }) => `${Object.values(target).join(" ")} ${fingerprint}`)
    .sort();
}
