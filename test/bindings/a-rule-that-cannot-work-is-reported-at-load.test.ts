import { describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { problemsOf, unmarked, withBindings } from "./bindings-text.ts";

const binding = (more: string): string =>
  withBindings(`  - source: prod/db\n    targets: [{ namespace: shop, name: db }]\n    ${more}\n`);

describe("a rule that cannot work is reported with its location:", () => {
  it.each<[what: string, rule: string, says: string, fix: string]>([
    ["an incomplete expression", "keys: { a: { jmespath: ▶'b[' } }", "ends too early", "jmespath.org"],
    ["an expression with a syntax error", "keys: { a: { jmespath: ▶'b..c' } }", "at character 3", "Correct"],
    ["an unknown function", "keys: { a: { jmespath: ▶'foo(@)' } }", "no function", "Correct"],
    [
      "an expression whose result multiplies",
      "keys: { a: { jmespath: ▶'[@,@,@,@,@]|[@,@,@,@,@]|[@,@,@,@,@]' } }",
      "more than 100",
      "Correct",
    ],
    [
      "an unknown filter",
      "keys: { a: { template: ▶'{{ b | nope }}' } }",
      "The filter nope does not exist",
      "docs/bindings.md",
    ],
    [
      "a tag that reads files",
      "keys: { a: { template: ▶'{% include x %}' } }",
      "The tag include does not exist",
      "docs/bindings.md",
    ],
    ["an incomplete template", "keys: { a: { template: ▶'{{ b' } }", "not closed", "Correct"],
    [
      "the line of a template",
      'keys: { a: { template: ▶"b\\n{{ c | nope }}" } }',
      "in line 2 of the template",
      "Correct",
    ],
    [
      "a key with two rules",
      "keys: { a: ▶{ key: b, jmespath: c } }",
      "cannot have key and jmespath together",
      "Keep exactly one",
    ],
    [
      "a key without a rule",
      "keys: { a: ▶{ decode: base64 } }",
      "needs one of key, jmespath, template",
      "Keep exactly one",
    ],
    [
      "an unknown kind of rule",
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
      "cannot have extract and keys together",
      "Remove extract or keys",
    ],
    [
      "extract beside value",
      "value: a\n    ▶extract: { include: [a] }",
      "cannot have extract and value together",
      "Remove extract or value",
    ],
    ["two stars in a row", "extract: { include: [▶'a**'] }", "never two in a row", ""],
    [
      "an expression of extract that is not JMESPath",
      "extract: { jmespath: ▶'a[' }",
      "",
      "Correct the expression",
    ],
    [
      "too many stars in a new name",
      "extract: { rename: [{ pattern: 'a*', to: ▶'*-*' }] }",
      "more stars",
      "remove",
    ],
    ["immutable without a decision", "▶immutable: true", "needs onChange", "onChange: replace"],
    [
      "a decision without immutable",
      "▶onChange: replace",
      "onChange needs immutable: true",
      "Add immutable: true",
    ],
    [
      "keys of others deleted with ours",
      "ownership: ▶keys\n    deletionPolicy: delete",
      "the keys of other owners",
      "retain",
    ],
    [
      "a shared immutable Secret",
      "immutable: true\n    onChange: refuse\n    ownership: ▶keys",
      "cannot be shared",
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

it("a key that the type requires can come from any kind of rule", () => {
  const keys = "{ tls.crt: { template: '{{ b | pem_leaf }}' }, tls.key: { jmespath: k } }";
  const { bindings } = loadBindings(binding(`type: kubernetes.io/tls\n    keys: ${keys}`), "bindings.yaml");
  expect(bindings[0]?.sources[0].keys).toEqual({
    kind: "composed",
    keys: { "tls.crt": { template: "{{ b | pem_leaf }}" }, "tls.key": { jmespath: "k" } },
  });
});
