import { describe, expect, it } from "vitest";
import { affectedBindings, eachBindingOnce } from "../../shared/bindings/affected-bindings.ts";
import { createBindingIndex } from "../../shared/bindings/binding-index.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { parseCompiledBindings } from "../../shared/bindings/read-compiled-bindings.ts";
import { problemsOf, unmarked, withBindings } from "./bindings-text.ts";

const VERSION = "7a1ecea1-3fd5-4a15-8d32-5325d48b7e21";
const TARGETS = "targets: [{ namespace: shop, name: app }]";
const several = (...sources: string[]): string =>
  `  - sources:\n${sources.map((source) => `      - ${source}\n`).join("")}    ${TARGETS}\n`;
const load = (bindings: string) => loadBindings(withBindings(bindings), "bindings.yaml").bindings;

describe("a mistake is reported with its location:", () => {
  it.each<[what: string, binding: string, says: string, fix: string]>([
    ["no source at all", `  - ▶${TARGETS}\n`, "source is missing", "for example prod/db"],
    ["an empty list", `  - sources: ▶[]\n    ${TARGETS}\n`, "This is empty", '[{"source":"prod/db"'],
    ["an entry without source", several("▶{ keys: [a] }"), "source is missing", "for example prod/db"],
    ["an invalid source", several("{ source: ▶'prod db' }"), "neither the name", "Copy the name"],
    [
      "source beside sources",
      `${several("{ source: a }")}    ▶source: b\n`,
      "cannot have source itself",
      "entry",
    ],
    [
      "keys beside sources",
      `${several("{ source: a }")}    keys: ▶[b]\n`,
      "keys is a map from keys of the Secret to names or templates",
      "move keys into the entries of sources",
    ],
    [
      "keys of no named source",
      `${several("{ source: a }")}    keys: { K: ▶a }\n`,
      'has the name "a"; no source has a name',
      "Set name at a source",
    ],
    [
      "a template with a name that no source has",
      `${several("{ source: a, name: user }", "{ source: b, name: password }")}    keys: { K: { template: ▶"{{ user }}:{{ pasword }}" } }\n`,
      'has the name "pasword", at line 1, column 15 of the template; the names are "user", "password"',
      "Did you mean password?",
    ],
    [
      "a default for a name that no source has",
      `${several("{ source: a, name: user }")}    keys: { K: { template: ▶"{{ other | default: user }}" } }\n`,
      'has the name "other"',
      "Set name at a source",
    ],
    [
      "a plain key with a name that no source has",
      `${several("{ source: a, name: user }")}    keys: { K: { key: ▶usr } }\n`,
      'has the name "usr"',
      "Did you mean user?",
    ],
    [
      "JMESPath over several sources",
      `${several("{ source: a, name: user }")}    keys: { K: { jmespath: ▶user } }\n`,
      "JMESPath reads one source",
      "use a template",
    ],
    [
      "one name for two sources",
      `${several("{ source: a, name: n }", "{ source: b, name: ▶n }")}    keys: { K: n }\n`,
      "has the same name",
      "a name of its own",
    ],
    [
      "a name that Liquid knows",
      `${several("{ source: a, name: ▶empty }")}    keys: { K: { template: "{{ empty }}" } }\n`,
      "The name empty has a meaning of its own",
      "another name",
    ],
    [
      "a name with a hyphen",
      `${several("{ source: a, name: ▶db-user }")}    keys: { K: db-user }\n`,
      "letters, digits and underscores",
      "Write it like password",
    ],
    [
      "a name without a use",
      several("{ source: a, ▶name: n }"),
      "A name has no effect",
      "Add keys next to sources",
    ],
    [
      "a key of a source and of the binding",
      `${several("{ source: a, name: n, keys: [K] }")}    keys: ▶{ K: n }\n`,
      'both set the key "K"',
      "collisions: last",
    ],
    [
      "a type without its key",
      `${several("{ source: a, name: n }")}    type: kubernetes.io/ssh-auth\n    ▶keys: { K: n }\n`,
      "needs the key ssh-privatekey",
      "Add ssh-privatekey to keys",
    ],
    [
      "a label beside sources",
      `${several("{ source: a }")}    ▶stage: B\n`,
      "cannot have stage itself",
      "Move",
    ],
    [
      "collisions of one source",
      `  - source: a\n    ▶collisions: last\n    ${TARGETS}\n`,
      "collisions has no effect",
      "Remove",
    ],
    [
      "an unknown value of collisions",
      `${several("{ source: a }")}    collisions: ▶first\n`,
      "none of the",
      "refuse or last",
    ],
    [
      "a key of two sources",
      several("{ source: a, keys: [k] }", "▶{ source: b, value: k }"),
      '"k"',
      "collisions: last",
    ],
    ["AWSPENDING", `  - source: a\n    stage: ▶AWSPENDING\n    ${TARGETS}\n`, "not in use yet", "AWSCURRENT"],
    ["a label with a space", several("{ source: a, stage: ▶'a b' }"), "without spaces", "AWSPREVIOUS"],
    [
      "a label and a version",
      several(`{ source: a, stage: B, ▶versionId: ${VERSION} }`),
      "both",
      "Keep stage",
    ],
    ["an invalid version", several("{ source: a, versionId: ▶v1 }"), "32 to 64", VERSION],
    ["decode without value", several("▶{ source: a, decode: base64 }"), "value is missing", "license.txt"],
    [
      "value beside keys",
      several("{ source: a, ▶value: b, keys: [c] }"),
      "either keys or value",
      "Keep keys",
    ],
    [
      "extract beside value",
      several("{ source: a, value: b, ▶extract: { include: [c] } }"),
      "cannot have extract and value together",
      "",
    ],
    [
      "a broken expression",
      several("{ source: a, keys: { k: { jmespath: ▶'b[' } } }"),
      "too early",
      "jmespath",
    ],
    [
      "a key of the type that no source provides",
      `  - ▶sources: [{ source: a, keys: [tls.crt] }, { source: b, value: x }]\n    type: kubernetes.io/tls\n    ${TARGETS}\n`,
      "needs the key tls.key",
      "Add tls.key",
    ],
    ["an unknown setting", several("{ source: a, ▶version: b }"), 'no setting "version"', "versionId"],
  ])("%s", (_, binding, says, fix) => {
    const { text, places } = unmarked(withBindings(binding));

    const [problem, ...more] = problemsOf(text);

    expect(more).toEqual([]);
    expect(problem?.message).toContain(says);
    expect(problem?.fix).toContain(fix);
    expect([{ line: problem?.line, column: problem?.column }]).toEqual(places);
  });

  it("all mistakes at once", () => {
    const text = withBindings(
      several("{ source: 'a b', stage: AWSPENDING }", "{ source: c, keys: [k] }", "{ source: d, keys: [k] }"),
    );
    expect(problemsOf(text).map(({ path }) => path)).toEqual([
      "bindings[0].sources[0].source",
      "bindings[0].sources[0].stage",
      "bindings[0].sources[2]",
    ]);
  });

  it("a key from two sources is not a mistake with collisions: last", () => {
    const binding = several("{ source: a, keys: [k] }", "{ source: b, keys: [k] }");
    expect(problemsOf(withBindings(`${binding}    collisions: last\n`))).toEqual([]);
  });

  it("the keys of a type can come from several sources, and from a pattern whose keys depend on the value", () => {
    for (const other of ["keys: [tls.key]", "extract: { include: ['tls.*'] }"]) {
      const binding = several("{ source: a, keys: [tls.crt] }", `{ source: b, ${other} }`);
      expect(problemsOf(withBindings(`${binding}    type: kubernetes.io/tls\n`))).toEqual([]);
    }
  });
});

it("sources are compiled in their order, each with its own rule and version", () => {
  const [binding] = load(
    several(
      "{ source: prod/db, keys: { DB: password } }",
      "{ source: prod/cache, stage: AWSPREVIOUS, extract: { include: ['*'] } }",
      `{ source: prod/license, versionId: ${VERSION}, value: license.bin, decode: base64 }`,
    ),
  );

  expect(binding?.sources).toEqual([
    { id: "prod/db", names: ["prod/db"], keys: { kind: "selected", keys: { DB: "password" } } },
    {
      id: "prod/cache",
      names: ["prod/cache"],
      stage: "AWSPREVIOUS",
      keys: { kind: "extracted", include: ["*"], exclude: [], rename: [] },
    },
    {
      id: "prod/license",
      names: ["prod/license"],
      versionId: VERSION,
      keys: { kind: "value", key: "license.bin", decode: "base64" },
    },
  ]);
  expect(binding).not.toHaveProperty("collisions");
  const text = JSON.stringify({
    version: 1,
    relay: "secret-relay",
    clusters: { prod: { name: "prod", region: "eu-west-1" } },
    bindings: [binding],
  });
  expect(parseCompiledBindings(text, "bindings.json").bindings).toEqual([binding]);
});

it("one entry of sources equals source, and AWSCURRENT equals no label", () => {
  const fingerprints = [
    `  - { source: a, keys: [k], ${TARGETS} }\n`,
    several("{ source: a, keys: [k] }"),
    several("{ source: a, keys: [k], stage: AWSCURRENT }"),
    `${several("{ source: a, keys: [k] }")}    collisions: refuse\n`,
  ].map((text) => load(text)[0]?.fingerprint);
  expect(new Set(fingerprints).size).toBe(1);
});

it("any other change of the sources changes the fingerprint", () => {
  const fingerprints = [
    several("{ source: a, keys: [k] }"),
    several("{ source: a, keys: [k], stage: B }"),
    several(`{ source: a, keys: [k], versionId: ${VERSION} }`),
    several("{ source: a, keys: [k] }", "{ source: b, keys: [l] }"),
    several("{ source: b, keys: [l] }", "{ source: a, keys: [k] }"),
    several("{ source: a, keys: [k] }", "{ source: b, keys: [l], stage: B }"),
    several("{ source: a, keys: [k] }", "{ source: b, keys: [m] }"),
    `${several("{ source: a, keys: [k] }", "{ source: b, keys: [l] }")}    collisions: last\n`,
    `  - { source: a, value: k, ${TARGETS} }\n`,
    `  - { source: a, value: k, decode: base64, ${TARGETS} }\n`,
  ].map((text) => load(text)[0]?.fingerprint);
  expect(new Set(fingerprints).size).toBe(fingerprints.length);
});

describe("a change of a source", () => {
  const text = `
  - { sources: [{ source: a }, { source: b, stage: GREEN }], targets: [{ namespace: shop, name: both }] }
  - { source: b, targets: [{ namespace: shop, name: plain }] }
  - { source: b, versionId: ${VERSION}, targets: [{ namespace: shop, name: pinned }] }
  - { source: b, stage: AWSPREVIOUS, targets: [{ namespace: shop, name: previous }] }
`;
  const index = createBindingIndex(loadBindings(withBindings(text), "bindings.yaml"), {
    partition: "aws",
    region: "eu-west-1",
    accountId: "111122223333",
  });
  const concerned = (id: string, change: { reason: string; labels?: string[] }) =>
    affectedBindings(index.find({ id, names: [id] }), change).flatMap(({ bindings }) =>
      bindings.map(({ target }) => target.name),
    );

  it.each<[what: string, id: string, change: { reason: string; labels?: string[] }, want: string[]]>([
    ["AWSCURRENT moved", "b", { reason: "label-updated" }, ["both", "plain", "previous"]],
    ["its only source moved", "a", { reason: "label-updated" }, ["both"]],
    ["a label moved that one binding follows", "b", { reason: "label-updated", labels: ["GREEN"] }, ["both"]],
    ["a label moved that no binding follows", "b", { reason: "label-updated", labels: ["RED"] }, []],
    [
      "AWSPREVIOUS was moved by hand",
      "b",
      { reason: "put-secret-value", labels: ["AWSPREVIOUS"] },
      ["previous"],
    ],
    ["an operator names the source", "b", { reason: "direct" }, ["both", "plain", "pinned", "previous"]],
  ])("affects the bindings that follow it: %s", (_, id, change, want) => {
    expect(concerned(id, change)).toEqual(want);
  });

  it("finds a binding by each of its sources, and lists it once", () => {
    expect(index.sources.map(({ source, bindings }) => [source.id, bindings.length])).toEqual([
      ["a", 1],
      ["b", 4],
    ]);
    expect(index.bindings).toHaveLength(4);
    expect(eachBindingOnce(index.sources).map(({ bindings }) => bindings.length)).toEqual([1, 3]);
  });
});
