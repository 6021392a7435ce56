import { describe, expect, it } from "vitest";
import { checkTemplate, renderTemplate } from "../../shared/bindings/expressions/liquid.ts";

const make = (filter: string, value: string) => renderTemplate(`{{ value | ${filter} }}`, { value });

// The results are those of Go 1.26 and Sprig 3.3.0.
it.each<[filter: string, value: string, text: string]>([
  ["go_lower", "ÄΣ İ", "äσ i"],
  ["go_upper", "aß ŉ ǆ", "Aß ŉ Ǆ"],
  ["go_upper", "ᾳᾀ", "ᾼᾈ"],
  ["go_trim", "\u0085\u00a0 a b\u3000\r\n", "a b"],
  ["go_trim", "\ufeffa\ufeff", "\ufeffa\ufeff"],
  ["go_quote", 'a"b\\c\n\t\x07\x01\x7f', '"a\\"b\\\\c\\n\\t\\a\\x01\\x7f"'],
  ["go_quote", "ü\u00a0\u200b\u{1f600}\u{e0001}", '"ü\\u00a0\\u200b\u{1f600}\\U000e0001"'],
  ["go_json", '<a & "b">\u2028\b', '"\\u003ca \\u0026 \\"b\\"\\u003e\\u2028\\b"'],
  ["indent: 2", "a\n\nb", "  a\n  \n  b"],
  ["indent: 0", "a\nb", "a\nb"],
  ['trim_prefix: "x"', "xxa", "xa"],
  ['trim_suffix: "x"', "axx", "ax"],
  ['trim_suffix: ""', "abc", "abc"],
  ['split_part: ",", 0', ",b", ""],
  ['split_part: ",", -1', "a,b,", ""],
  ['split_part: "::", 1', "a::b", "b"],
])("%s of %j is %j", (filter, value, text) => {
  expect(make(filter, value)).toEqual({ kind: "made", text });
});

describe("the filter text", () => {
  it("makes the text that the Secret would hold", () => {
    expect(renderTemplate("{{ value | text | append: '!' }}", { value: { a: [1, null] } })).toEqual({
      kind: "made",
      text: '{"a":[1,null]}!',
    });
    expect(renderTemplate("{{ value | text | size }}", { value: null })).toEqual({ kind: "made", text: "0" });
  });

  it("is missing with its variable", () => {
    expect(renderTemplate("{{ other | text | default: 'x' }}", {})).toMatchObject({ kind: "missing" });
  });
});

it.each(["indent: -1", "indent: 1.5", "indent", 'split_part: ",", 5', 'split_part: "", 0'])(
  "%s is refused, and the message names the filter",
  (filter) => {
    expect(make(filter, "a,b")).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining(filter.split(":")[0] ?? ""),
    });
  },
);

it("validate knows them", () => {
  expect(checkTemplate("{{ a | go_quote }}")).toBeUndefined();
  expect(checkTemplate("{{ a | go_quoted }}")).toMatchObject({
    message: expect.stringContaining("go_quoted"),
  });
});
