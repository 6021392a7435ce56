import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { runs } from "../harness/property-runs.ts";
import { anyBindingsFile, expectedOf } from "./any-bindings-file.ts";
import { withBindings } from "./bindings-text.ts";

const load = (text: string) => loadBindings(text, "bindings.yaml");
const loadBinding = (rules: string) =>
  load(withBindings(`  - source: prod/db\n    targets: [{ namespace: shop, name: db }]\n${rules}`))
    .bindings[0];

describe("which keys", () => {
  const cases = [
    { it: "all, by default", rules: "", want: { kind: "all" } },
    { it: "all, if stated", rules: "    keys: all\n", want: { kind: "all" } },
    {
      it: "a list, under their own names",
      rules: "    keys: [username, password]\n",
      want: { kind: "selected", keys: { username: "username", password: "password" } },
    },
    {
      it: "a map from the Secret's key to the source's",
      rules: "    keys: { DB_USER: user name }\n",
      want: { kind: "selected", keys: { DB_USER: "user name" } },
    },
    {
      it: "the whole value under one key",
      rules: "    value: a.txt\n",
      want: { kind: "value", key: "a.txt" },
    },
  ];

  it.each(cases)("$it", ({ rules, want }) => {
    expect(loadBinding(rules)?.sources[0].keys).toEqual(want);
  });

  it.each(["keys: [__proto__, constructor]", "keys: { __proto__: __proto__, constructor: constructor }"])(
    "%s is about keys like any other, also after a trip through JSON",
    (rules) => {
      const keys = JSON.parse(JSON.stringify(loadBinding(`    ${rules}\n`)?.sources[0].keys)).keys;

      expect(Object.entries(keys)).toEqual([
        ["__proto__", "__proto__"],
        ["constructor", "constructor"],
      ]);
    },
  );
});

describe("defaults", () => {
  const file = (bindings: string): string => `version: 1
clusters:
  a: { name: a-eks, region: eu-west-1 }
  b: { name: b-eks, region: eu-west-2 }
defaults:
  cluster: a
  namespace: shop
  type: kubernetes.io/basic-auth
  labels: { team: shop, tier: data }
  annotations: { example.com/owner: shop }
  adopt: true
bindings:
${bindings}`;

  it("apply where a binding or a target has no value", () => {
    const { bindings } = load(file("  - { source: prod/db, targets: [{ name: db }] }\n"));

    expect(bindings).toEqual([
      {
        sources: [{ id: "prod/db", names: ["prod/db"], keys: { kind: "all" } }],
        target: { cluster: "a", namespace: "shop", name: "db" },
        type: "kubernetes.io/basic-auth",
        labels: { team: "shop", tier: "data" },
        annotations: { "example.com/owner": "shop" },
        adopt: true,
        deletionPolicy: "retain",
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    ]);
  });

  it("do not override explicit values, and labels are merged one by one", () => {
    const { bindings } = load(
      file(`  - source: prod/db
    targets: [{ cluster: b, namespace: reports, name: db }]
    type: Opaque
    labels: { tier: web }
    adopt: false
`),
    );

    expect(bindings[0]).toMatchObject({
      target: { cluster: "b", namespace: "reports", name: "db" },
      type: "Opaque",
      labels: { team: "shop", tier: "web" },
      adopt: false,
    });
  });
});

it("a binding with three targets becomes three, with one fingerprint", () => {
  const { bindings } = load(
    withBindings(
      "  - source: a\n    targets: [{ namespace: x, name: a }, { namespace: y, name: a }, { namespace: z, name: a }]\n",
    ),
  );

  expect(bindings.map(({ target }) => target.namespace)).toEqual(["x", "y", "z"]);
  expect(new Set(bindings.map(({ fingerprint }) => fingerprint)).size).toBe(1);
});

it("a single cluster does not need to be named", () => {
  expect(loadBinding("")?.target.cluster).toBe("prod");
});

it("a system namespace is accepted with the target's flag, which is not compiled", () => {
  const { bindings } = load(
    withBindings(
      "  - source: a\n    targets: [{ namespace: kube-system, name: a, allowSystemNamespace: true }]\n",
    ),
  );

  expect(bindings[0]?.target).toEqual({ cluster: "prod", namespace: "kube-system", name: "a" });
});

it("an ARN that ends like a full one is read as full", () => {
  const arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
  const { bindings } = load(
    withBindings(`  - source: ${arn}\n    targets: [{ namespace: shop, name: db }]\n`),
  );

  expect(bindings[0]?.sources[0]).toMatchObject({ id: arn, names: ["prod/db"], suffix: "AbCdEf" });
});

it("anchors and aliases are resolved", () => {
  const { bindings } = load(
    withBindings(`  - source: a
    targets: [{ namespace: shop, name: a }]
    labels: &labels { team: shop }
  - source: b
    targets: [{ namespace: shop, name: b }]
    labels: *labels
`),
  );

  expect(bindings.map(({ labels }) => labels)).toEqual([{ team: "shop" }, { team: "shop" }]);
});

it("a file without bindings, with unused clusters or with a byte order mark is valid", () => {
  expect(load(`\ufeff${withBindings("  []\n")}`)).toMatchObject({ version: 1, bindings: [] });
});

it("any valid file, printed as YAML, loads with the same content", () => {
  fc.assert(
    fc.property(anyBindingsFile, fc.boolean(), (file, flow) => {
      const text = stringify(file, { collectionStyle: flow ? "flow" : "any", aliasDuplicateObjects: true });

      const { bindings, clusters } = load(text);

      expect(clusters).toEqual(file.clusters);
      expect(bindings.map(({ fingerprint: _, ...rest }) => rest)).toEqual(expectedOf(file));
    }),
    { numRuns: runs(60) },
  );
});

it("any text is loaded or refused with a BindingsError", () => {
  const pieces = [
    "version: 1",
    "clusters:",
    "bindings:",
    "  - ",
    "    ",
    "\n",
    "\n  ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    '"',
    "'",
  ].concat([
    "&a ",
    "*a",
    "!!",
    "|",
    ">",
    "%",
    "---\n",
    "#",
    "<<",
    "__proto__",
    "source",
    "targets",
    "keys",
    "\t",
    "? ",
    "~",
  ]);
  const anyYamlish = fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 5 })))
    .map((all) => all.join(""));
  const anyText = fc.oneof(fc.string({ unit: "binary" }), anyYamlish);

  fc.assert(
    fc.property(anyText, (text) => {
      expect(orBindingsError(() => load(text))).toBe(true);
    }),
    { numRuns: runs(200) },
  );
});

it("any value at any location of a valid file is loaded or refused with a BindingsError", () => {
  const places = [[], ["clusters"], ["clusters", "prod"], ["defaults"], ["bindings"], ["bindings", 0]]
    .concat([
      ["bindings", 0, "source"],
      ["bindings", 0, "targets"],
      ["bindings", 0, "targets", 0],
      ["bindings", 0, "keys"],
    ])
    .concat([
      ["bindings", 0, "value"],
      ["bindings", 0, "labels"],
      ["bindings", 0, "annotations"],
    ]);
  const valid = () => ({
    version: 1,
    clusters: { prod: { name: "prod-eks", region: "eu-west-1" } },
    defaults: { cluster: "prod" },
    bindings: [{ source: "prod/db", targets: [{ namespace: "shop", name: "db" }] }],
  });

  fc.assert(
    fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
      const text = JSON.stringify(replaced(valid(), place, value));

      expect(orBindingsError(() => load(text))).toBe(true);
    }),
    { numRuns: runs(200) },
  );
});

function orBindingsError(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    return (
      error instanceof BindingsError && error.problems.every(({ line, column }) => line > 0 && column > 0)
    );
  }
}

function replaced(whole: unknown, [step, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(whole))
    return whole.map((item, index) => (index === step ? replaced(item, rest, value) : item));
  const map = whole as Record<string, unknown>;
  return { ...map, [step]: replaced(map[step], rest, value) };
}
