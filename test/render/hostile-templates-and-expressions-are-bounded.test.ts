import { describe, expect, it } from "vitest";
import { checkExpression, evaluateExpression } from "../../shared/bindings/expressions/jmespath.ts";
import { type JsonTreeObject, parseJsonTree } from "../../shared/bindings/expressions/json-tree.ts";
import { checkTemplate, renderTemplate } from "../../shared/bindings/expressions/liquid.ts";
import { runBounded, TookTooLong } from "../../shared/bindings/expressions/run-bounded.ts";
import { matchPattern } from "../../shared/render/match-pattern.ts";
import { callWithinMemory } from "../hygiene/call-within-memory.ts";

const treeOf = (value: unknown): JsonTreeObject =>
  parseJsonTree(JSON.stringify(value))?.root as JsonTreeObject;

// As large as Secrets Manager takes: 64 KiB.
const BIG = JSON.stringify({ text: "x".repeat(60_000), spaces: " ".repeat(60_000) });
const WIDE = JSON.stringify({ list: Array.from({ length: 12_000 }, (_, index) => index) });
const DEEP = parseJsonTree(`{"a":${"[".repeat(400)}${"]".repeat(400)}}`)?.root as JsonTreeObject;

/** A function has 512 MB, and holds more than one expression. */
const HEAP_MB = 128;

const ATTACKS = new URL("./attack-on-a-source.ts", import.meta.url);

const repeated = (part: string, count: number): string => part.repeat(count);

describe("a template that", () => {
  it.each<[what: string, template: string, source?: string]>([
    ["counts to a thousand million", "{% for i in (1..1000000000) %}x{% endfor %}"],
    [
      "counts in a loop in a loop",
      "{% for i in (1..99999) %}{% for j in (1..99999) %}{% endfor %}{% endfor %}",
    ],
    ["prints without end", "{% for i in (1..1000) %}{{ text }}{% endfor %}"],
    [
      "doubles a string",
      "{% assign a = text %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}",
    ],
    ["replaces each letter with a string", "{{ text | replace: 'x', text }}"],
    ["joins letters with a string", "{{ text | split: '' | join: text }}"],
    ["encodes over and over", `{{ text ${repeated("| base64_encode ", 100)} }}`],
    [
      "doubles a list",
      "{% assign a = text | split: '' %}{% for i in (1..99) %}{% assign a = a | concat: a %}{% endfor %}",
    ],
    ["pads a date", "{{ 0 | date: '%1000000000Y' }}"],
    ["splits a PEM without any block", "{{ text | pem_split }}"],
    [
      "has a PEM of beginnings only",
      "{{ text | pem_split }}",
      JSON.stringify({ text: repeated("-----BEGIN A-----\n", 3_500) }),
    ],
    ["asks for a file", "{% include '/etc/passwd' %}"],
    ["asks for a file in another way", "{% render '/etc/passwd' %}"],
    ["asks for a layout", "{% layout '/etc/passwd' %}"],
    ["captures", "{% capture a %}x{% endcapture %}"],
    ["is nested deep", `${repeated("{% if text %}", 3_000)}${repeated("{% endif %}", 3_000)}`],
    ["is not closed", repeated("{{ a[", 5_000)],
    ["is too long", repeated("x", 70_000)],
    ["reaches for a prototype", "{{ text.__proto__.constructor }}"],
    ["reaches for a constructor", "{{ text.constructor.constructor }}"],
    ["reaches for the global object", "{{ globalThis.process.env }}"],
    ["reaches through map", "{{ list | map: '__proto__' | first | json }}{{ nothing }}", WIDE],
    ["asks for the time", "{{ 'now' | date: '%s' }}"],
  ])("%s fails with a reason", async (_, template, source = BIG) => {
    const called = await callWithinMemory(HEAP_MB, ATTACKS, "renderOver", source, template);

    expect(called).toMatchObject({ returned: { kind: expect.not.stringMatching("made") } });
    expect(JSON.stringify(called)).not.toContain("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  });

  it("strips a long run of spaces finishes before the timeout", () => {
    const variables = parseJsonTree(BIG)?.root as JsonTreeObject;
    const rendered = renderTemplate("a{{ spaces | append: 'x' | rstrip | strip | lstrip }}", variables);
    expect(rendered.kind).toBe("made");
  });

  it("prints a deeply nested value succeeds", () => {
    expect(renderTemplate("{{ a }}", DEEP)).toMatchObject({ kind: "made" });
  });

  it("uses a filter that evaluates code, or a tag that reads a file, is rejected", () => {
    for (const filter of ["raw", "where_exp", "find_exp", "sample", "inspect", "group_by_exp"]) {
      expect(checkTemplate(`{{ text | ${filter}: 'a', 'b' }}`)?.message).toBe(
        `The filter ${filter} does not exist`,
      );
    }
    for (const tag of ["include", "render", "layout", "block", "capture", "liquid", "tablerow", "cycle"]) {
      expect(checkTemplate(`{% ${tag} 'a' %}`)?.message).toBe(`The tag ${tag} does not exist`);
    }
  });
});

describe("an expression that", () => {
  it.each<[what: string, expression: string, source?: string]>([
    ["doubles a list again and again", `[@,@]${repeated("|[@,@]", 100)}`],
    ["doubles and flattens", `[list,list][]${repeated("|[@,@][]", 50)}`, WIDE],
    ["quotes a string over and over", `${repeated("to_string([", 40)}@${repeated("])", 40)}`],
    ["maps over itself", "map(&map(&map(&map(&[@,@,@], [@,@,@]), [@,@,@]), [@,@,@]), [@,@,@])"],
    ["brings its own list", "map(&@, `[1,2,3]`)"],
    ["is too long", repeated("a", 2_000)],
    ["is nested deep", `${repeated("(", 400)}a${repeated(")", 400)}`],
    ["is never closed", `a[${repeated("[", 400)}`],
    ["has an open quote", "'😀😀😀😀"],
    ["has an open quote at the end of an escape", "'\\"],
    ["reaches for a prototype", "list.__proto__", WIDE],
    ["reaches for a constructor", "{a: list}.constructor.constructor", WIDE],
    ["calls a function that JMESPath does not have", "introspect_methods(@)"],
    ["calls a method of ours", "bounded(@)"],
    ["joins with a string", "join(text, [text,text,text,text,text,text,text,text,text,text,text,text])"],
  ])("%s fails or finds nothing, within the timeout", async (_, expression, source = BIG) => {
    const called = await callWithinMemory(HEAP_MB, ATTACKS, "evaluateOver", source, expression);

    expect(called).toMatchObject({ returned: { kind: expect.not.stringMatching("found") } });
    expect(JSON.stringify(called)).not.toContain("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  });

  it.each([
    ["foo(@)", "no function"],
    ["length()", "arguments"],
    ["a[", "ends too early"],
    ["a..b", "at character 3"],
    ["^", "at character 1"],
  ])("is not valid JMESPath (%s) is rejected without a source", (expression, says) => {
    expect(checkExpression(expression)).toContain(says);
  });

  it("sorts or reverses a list does not change the source", () => {
    const data = treeOf({ list: [3, 1, 2] });
    evaluateExpression("sort(list)", data);
    evaluateExpression("reverse(list)", data);
    expect(data).toEqual(treeOf({ list: [3, 1, 2] }));
  });
});

it("code that never ends is stopped", () => {
  const endless = () => {
    for (;;);
  };
  expect(() => runBounded(endless, 50)).toThrow(TookTooLong);
  expect(runBounded(() => 1)).toBe(1);
});

it("matching a pattern takes time in proportion to the pattern and the string", () => {
  // A backtracking regular expression would not finish within any timeout.
  const match = () => matchPattern("*a*a*a*a*a*a*a*b", `${"a".repeat(60_000)}c`);
  expect(runBounded(match, 10_000)).toBeUndefined();
});
