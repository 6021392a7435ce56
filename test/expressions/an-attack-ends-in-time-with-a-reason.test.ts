import { describe, expect, it } from "vitest";
import { checkExpression, evaluateExpression } from "../../shared/expressions/jmespath.ts";
import { type JsonTreeObject, parseJsonTree } from "../../shared/expressions/json-tree.ts";
import { checkTemplate, renderTemplate } from "../../shared/expressions/liquid.ts";
import { runBounded, TookTooLong } from "../../shared/expressions/run-bounded.ts";
import { matchPattern } from "../../shared/render/match-pattern.ts";

const treeOf = (value: unknown): JsonTreeObject =>
  parseJsonTree(JSON.stringify(value))?.root as JsonTreeObject;

// As large as Secrets Manager takes: 64 KiB.
const BIG = treeOf({ text: "x".repeat(60_000), blanks: " ".repeat(60_000) });
const WIDE = treeOf({ list: Array.from({ length: 12_000 }, (_, index) => index) });
const DEEP = parseJsonTree(`{"a":${"[".repeat(400)}${"]".repeat(400)}}`)?.root as JsonTreeObject;

/** What it took, so that a slow answer fails as a wrong one does. */
function measured<T>(run: () => T): { result: T; ms: number; grownMb: number } {
  const before = process.memoryUsage().heapUsed;
  const startedAt = performance.now();
  const result = run();
  const grownMb = (process.memoryUsage().heapUsed - before) / 1e6;
  return { result, ms: performance.now() - startedAt, grownMb };
}

const repeated = (part: string, count: number): string => part.repeat(count);

describe("a template that", () => {
  it.each<[what: string, template: string, variables?: JsonTreeObject]>([
    ["counts to a thousand million", "{% for i in (1..1000000000) %}x{% endfor %}"],
    [
      "counts in a loop in a loop",
      "{% for i in (1..99999) %}{% for j in (1..99999) %}{% endfor %}{% endfor %}",
    ],
    ["prints without end", "{% for i in (1..1000) %}{{ text }}{% endfor %}"],
    [
      "doubles a text",
      "{% assign a = text %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}",
    ],
    ["replaces each letter by a text", "{{ text | replace: 'x', text }}"],
    ["joins letters by a text", "{{ text | split: '' | join: text }}"],
    ["encodes over and over", `{{ text ${repeated("| base64_encode ", 100)} }}`],
    [
      "doubles a list",
      "{% assign a = text | split: '' %}{% for i in (1..99) %}{% assign a = a | concat: a %}{% endfor %}",
    ],
    ["pads a date", "{{ 0 | date: '%1000000000Y' }}"],
    ["repeats what it can't find in a PEM", "{{ text | pem_split }}"],
    [
      "has a PEM of beginnings only",
      "{{ text | pem_split }}",
      treeOf({ text: repeated("-----BEGIN A-----\n", 3_500) }),
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
  ])("%s is told why not", (_, template, variables = BIG) => {
    const { result, ms, grownMb } = measured(() => renderTemplate(template, variables));

    expect(result.kind).not.toBe("made");
    expect(JSON.stringify(result)).not.toContain("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    expect(ms).toBeLessThan(1_500);
    expect(grownMb).toBeLessThan(150);
  });

  it("strips a long run of blanks does so in a moment", () => {
    const { ms } = measured(() =>
      renderTemplate("a{{ blanks | append: 'x' | rstrip | strip | lstrip }}", BIG),
    );
    expect(ms).toBeLessThan(500);
  });

  it("prints something nested deep prints it", () => {
    expect(renderTemplate("{{ a }}", DEEP)).toMatchObject({ kind: "made" });
  });

  it("finds no filter that runs a text as code, and no tag that reads a file", () => {
    for (const filter of ["raw", "where_exp", "find_exp", "sample", "inspect", "group_by_exp"]) {
      expect(checkTemplate(`{{ text | ${filter}: 'a', 'b' }}`)?.message).toBe(`There is no filter ${filter}`);
    }
    for (const tag of ["include", "render", "layout", "block", "capture", "liquid", "tablerow", "cycle"]) {
      expect(checkTemplate(`{% ${tag} 'a' %}`)?.message).toBe(`There is no tag ${tag}`);
    }
  });
});

describe("an expression that", () => {
  it.each<[what: string, expression: string, data?: JsonTreeObject]>([
    ["doubles a list again and again", `[@,@]${repeated("|[@,@]", 100)}`],
    ["doubles and flattens", `[list,list][]${repeated("|[@,@][]", 50)}`, WIDE],
    ["quotes a text over and over", `${repeated("to_string([", 40)}@${repeated("])", 40)}`],
    ["maps over itself", "map(&map(&map(&map(&[@,@,@], [@,@,@]), [@,@,@]), [@,@,@]), [@,@,@])"],
    ["brings its own list", "map(&@, `[1,2,3]`)"],
    ["is too long", repeated("a", 2_000)],
    ["is nested deep", `${repeated("(", 400)}a${repeated(")", 400)}`],
    ["is never closed", `a[${repeated("[", 400)}`],
    ["has an open quote", "'😀😀😀😀"],
    ["has an open quote at the end of an escape", "'\\"],
    ["reaches for a prototype", "list.__proto__", WIDE],
    ["reaches for a constructor", "{a: list}.constructor.constructor", WIDE],
    ["calls what is no function of JMESPath", "introspect_methods(@)"],
    ["calls a method of ours", "bounded(@)"],
    ["joins by a text", "join(text, [text,text,text,text,text,text,text,text,text,text,text,text])"],
  ])("%s finds nothing, and in time", (_, expression, data = BIG) => {
    const { result, ms, grownMb } = measured(() => evaluateExpression(expression, data));

    expect(result.kind).not.toBe("found");
    expect(JSON.stringify(result)).not.toContain("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    expect(ms).toBeLessThan(1_500);
    expect(grownMb).toBeLessThan(150);
  });

  it.each([
    ["foo(@)", "no function"],
    ["length()", "arguments"],
    ["a[", "ends too early"],
    ["a..b", "at character 3"],
    ["^", "at character 1"],
  ])("%s is no JMESPath is told so before there is a source", (expression, says) => {
    expect(checkExpression(expression)).toContain(says);
  });

  it("leaves the source as it was", () => {
    const data = treeOf({ list: [3, 1, 2] });
    evaluateExpression("sort(list)", data);
    evaluateExpression("reverse(list)", data);
    expect(data).toEqual(treeOf({ list: [3, 1, 2] }));
  });
});

it("whatever runs without end is stopped", () => {
  const endless = () => {
    for (;;);
  };
  expect(() => runBounded(endless, 50)).toThrow(TookTooLong);
  expect(runBounded(() => 1)).toBe(1);
});

it("a pattern takes no longer than its length and the text's", () => {
  const { result, ms } = measured(() => matchPattern("*a*a*a*a*a*a*a*b", `${"a".repeat(60_000)}c`));
  expect(result).toBeUndefined();
  expect(ms).toBeLessThan(100);
});
