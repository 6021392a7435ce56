import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkOutputs } from "../../shared/bindings/expressions/check-outputs.ts";
import { checkTemplate, renderTemplate } from "../../shared/bindings/expressions/liquid.ts";
import { runs } from "../harness/property-runs.ts";
import { problemsOf, withBindings } from "./bindings-text.ts";

const SOURCE = { password: "canary-7f3a9c1e", fallback: "f", a: "a", b: "b", c: ["x"], d: { "e f": "g" } };

describe("validate refuses, with the position and the right spelling,", () => {
  it.each<[template: string, column: number, says: string]>([
    ["{{ password or fallback }}", 13, "{{ password | default: fallback }}"],
    ["{{ password || fallback }}", 13, "{{ password | default: fallback }}"],
    ["{{ password ?? fallback }}", 13, "{{ password | default: fallback }}"],
    ["{{ a and b }}", 6, "{% if a and b %}"],
    ["{{ a == b }}", 6, "{% if a == b %}"],
    ["{{ a != b }}", 6, "{% if a != b %}"],
    ["{{ a contains b }}", 6, "{% if a contains b %}"],
    ["{{ not a }}", 4, "{% if a != b %}"],
    ["{{ password fallback }}", 13, "fallback would be ignored. Write {{ password | default: … }}"],
    ["{{ d.e c }}", 8, "c would be ignored"],
    ['{{ "x" a | upcase }}', 8, '{{ "x" | append: … }}'],
    ['{{ a | default: "x" b }}', 21, "An argument of a filter is followed by b"],
    ["{{ a | upcase b }}", 15, "An argument of a filter is followed by b"],
    ["{{ a | append: b or c }}", 18, "An argument of a filter is followed by or c"],
    ["{{ a | append: }}", 15, "A filter lacks an argument"],
    ["{{ a | }}", 7, "A filter lacks its name"],
    ["{{ }}", 4, "An output is empty"],
    ["{{}}", 3, "An output is empty"],
    ["{{ (1..3) }}", 4, "A range is not a value"],
    ["{{ a, b }}", 5, ", b would be ignored"],
    ["{{ a + b }}", 6, "+ b would be ignored"],
    ["{{ (a) }}", 4, "This is not a value: (a)"],
    ['{{ d["e f" b] }}', 6, "Brackets hold one value"],
    ["{{- a or b -}}", 7, "{{ a | default: b }}"],
    ["{% echo a or b %}", 11, "{{ a | default: b }}"],
    ["{% echo %}", 8, "An output is empty"],
    ["{% assign x = a or b %}{{ x }}", 17, "{{ a | default: b }}"],
    ["{% assign x = a b %}{{ x }}", 17, "b would be ignored"],
    ["{% if a b %}{% endif %}", 9, "A condition has more than values and operators: b"],
    ["{% if a %}{% elsif b c %}{% endif %}", 22, "A condition has more than values and operators: c"],
    ["{% unless a and %}{% endunless %}", 16, "A condition lacks a value"],
    ["{% case a b %}{% endcase %}", 11, "b would be ignored"],
    ["{% for i in c d %}{% endfor %}", 15, "A loop has more than its list"],
    ["{% if a %}\n  {{ a or b }}{% endif %}", 8, "{{ a | default: b }}"],
  ])("%s", (template, column, says) => {
    const line = template.includes("\n") ? 2 : 1;
    const keys = JSON.stringify({ K: { template } });
    const problems = problemsOf(
      withBindings(`  - source: s\n    keys: ${keys}\n    targets: [{ namespace: n, name: t }]\n`),
    );

    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(says);
    expect(problems[0]?.message).toContain(`at line ${line}, column ${column} of the template`);
    expect(renderTemplate(template, SOURCE).kind).toBe("failed");
  });
});

describe("one value with filters is an output, and a condition is a condition:", () => {
  it.each<[template: string, made: string]>([
    ["{{ nothing | default: fallback }}", "f"],
    ["{{ nothing | default: fallback | upcase }}", "F"],
    ["{{- 'it''s' -}}", "?"],
    ['{{ "or, and | }}" }}', "?"],
    ["{{ \"a or b\" }}{{ 'x == y' }}", "a or bx == y"],
    ['{{ d["e f"] }}{{ c[0] }}{{ ["a"] }}', ["g", "x", "a"].join("")],
    ['{{ a | append: b, | append: "c" }}', "?"],
    ["{% if a == b or a and b %}x{% elsif a contains 'a' %}y{% endif %}", "x"],
    ["{% unless not a %}x{% endunless %}", "x"],
    ["{% if nothing | default: a %}x{% endif %}", "x"],
    ["{% case a %}{% when 'b', 'c' or 'a' %}x{% else %}y{% endcase %}", "x"],
    ["{% for i in (1..3) reversed limit: 2 %}{{ i }}{% endfor %}", "21"],
    ["{% for i in c limit: 2, offset: 0 %}{{ i }}{% endfor %}", "x"],
    ["{% assign r = (1..2) %}{{ r | join: '-' }}", "1-2"],
    ["{% comment %}{{ a or b }}{% endcomment %}{% raw %}{{ a or b }}{% endraw %}", "{{ a or b }}"],
    ["{% # {{ a or b }}\n%}x", "?"],
    ["{{ or_else | default: 'x' }}", "x"],
    ["{% echo a | append: b %}", "ab"],
    ["{{ -1 | abs }}{{ 1.5 }}", "11.5"],
  ])("%s", (template, made) => {
    const result = renderTemplate(template, SOURCE);
    if (made === "?") expect(checkTemplate(template) === undefined).toBe(result.kind === "made");
    else expect(result).toEqual({ kind: "made", text: made });
  });

  it("with any value and any filters", () => {
    const anyString = fc.stringMatching(/^[ a-z|{:,.=-]{0,8}$/).map((text) => `"${text}"`);
    const anyPath = fc.constantFrom("a", "d", "d['e f']", "c[0]", "c.first", "['a']", "a-b", "or_a", "é");
    const anyValue = fc.oneof(anyPath, anyString, fc.integer().map(String));
    const anyFilter = fc.oneof(
      fc.constant("upcase"),
      anyValue.map((value) => `append: ${value}`),
      fc.tuple(anyValue, anyValue).map(([one, other]) => `replace: ${one}, ${other}`),
    );
    const anySpace = fc.constantFrom(" ", "", "\n", "  ");
    fc.assert(
      fc.property(anyValue, fc.array(anyFilter, { maxLength: 3 }), anySpace, (value, filters, space) => {
        const output = `{{${space}${[value, ...filters].join(`${space}|${space}`)}${space}}}`;
        expect(checkOutputs(output)).toBeUndefined();
        expect(checkTemplate(output)).toBeUndefined();
        expect(checkOutputs(output.replace("}}", " a }}"))).toBeDefined();
      }),
      { numRuns: runs(200) },
    );
  });
});
