import { describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { problemsOf, unmarked, withBindings } from "./bindings-text.ts";

const binding = (more: string): string =>
  withBindings(`  - source: prod/db\n    targets: [{ namespace: shop, name: db }]\n    ${more}\n`);

describe("is told with its place:", () => {
  it.each<[what: string, rule: string, says: string, fix: string]>([
    ["an expression that breaks off", "keys: { a: { jmespath: ▶'b[' } }", "ends too early", "jmespath.org"],
    ["an expression that is none", "keys: { a: { jmespath: ▶'b..c' } }", "at character 3", "Correct"],
    ["an unknown function", "keys: { a: { jmespath: ▶'foo(@)' } }", "no function", "Correct"],
    [
      "an expression that multiplies",
      "keys: { a: { jmespath: ▶'[@,@,@,@,@]|[@,@,@,@,@]|[@,@,@,@,@]' } }",
      "more than 100",
      "Correct",
    ],
    [
      "an unknown filter",
      "keys: { a: { template: ▶'{{ b | nope }}' } }",
      "There is no filter nope",
      "docs/rendering.md",
    ],
    [
      "a tag that reads files",
      "keys: { a: { template: ▶'{% include x %}' } }",
      "There is no tag include",
      "docs/rendering.md",
    ],
    ["a template that breaks off", "keys: { a: { template: ▶'{{ b' } }", "not closed", "Correct"],
    [
      "the line of a template",
      'keys: { a: { template: ▶"b\\n{{ c | nope }}" } }',
      "in line 2 of the template",
      "Correct",
    ],
    ["a key made in two ways", "keys: { a: ▶{ key: b, jmespath: c } }", "names key and jmespath", "Keep one"],
    ["a key made in no way", "keys: { a: ▶{ decode: base64 } }", "names none", "Keep one"],
    [
      "an unknown way",
      "keys: { a: { key: b, ▶jmespth: c } }",
      'no setting "jmespth"',
      "Did you mean jmespath",
    ],
    [
      "an unknown encoding",
      "keys: { a: { key: b, decode: ▶hex } }",
      "none of the values that are possible here",
      "base64url",
    ],
    [
      "extract beside keys",
      "keys: all\n    ▶extract: { include: [a] }",
      "one of keys, value and extract",
      "Remove extract or keys",
    ],
    [
      "extract beside value",
      "value: a\n    ▶extract: { include: [a] }",
      "has value too",
      "Remove extract or value",
    ],
    ["two stars in a row", "extract: { include: [▶'a**'] }", "never two in a row", ""],
    [
      "a star too many in a new name",
      "extract: { rename: [{ pattern: 'a*', to: ▶'*-*' }] }",
      "more stars",
      "remove",
    ],
    ["immutable without a decision", "▶immutable: true", "does not say what to do", "onChange: replace"],
    ["a decision without immutable", "▶onChange: replace", "this one is not", "Add immutable: true"],
    [
      "keys of others deleted with ours",
      "ownership: ▶keys\n    deletionPolicy: delete",
      "the keys of others",
      "retain",
    ],
    [
      "a shared immutable Secret",
      "immutable: true\n    onChange: refuse\n    ownership: ▶keys",
      "can't be shared",
      "ownership: secret",
    ],
  ])("%s", (_, rule, says, fix) => {
    const { text, places } = unmarked(binding(rule));

    const [problem, ...more] = problemsOf(text);

    expect(more).toEqual([]);
    expect(problem?.message).toContain(says);
    expect(problem?.fix).toContain(fix);
    expect([{ line: problem?.line, column: problem?.column }]).toEqual(places);
  });
});

it("a demanded key may be made in any way", () => {
  const keys = "{ tls.crt: { template: '{{ b | pem_leaf }}' }, tls.key: { jmespath: k } }";
  const { bindings } = loadBindings(binding(`type: kubernetes.io/tls\n    keys: ${keys}`), "bindings.yaml");
  expect(bindings[0]?.sources[0].keys).toEqual({
    kind: "composed",
    keys: { "tls.crt": { template: "{{ b | pem_leaf }}" }, "tls.key": { jmespath: "k" } },
  });
});
