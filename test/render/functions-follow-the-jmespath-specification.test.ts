import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkExpression,
  type ExpressionResult,
  evaluateExpression,
} from "../../shared/bindings/expressions/jmespath.ts";
import { isFunctionName } from "../../shared/bindings/expressions/jmespath-functions.ts";
import { type JsonTree, jsonTextOf, parseJsonTree } from "../../shared/bindings/expressions/json-tree.ts";

/** The result as JSON; `nothing`, which also stands for null; or `error`. */
function resultOf(expression: string, given: unknown): string {
  const tree = parseJsonTree(JSON.stringify(given))?.root as JsonTree;
  const result: ExpressionResult = evaluateExpression(expression, tree);
  return result.kind === "found" ? jsonTextOf(result.value) : result.kind === "nothing" ? "nothing" : "error";
}

const json = (value: unknown): string => JSON.stringify(value);
const ERROR = "error";
const NOTHING = "nothing";

// From https://jmespath.org/specification.html, function by function: types, missing values, ties and order.
const SPECIFICATION: Readonly<Record<string, readonly [expression: string, given: unknown, want: string][]>> =
  {
    abs: [
      ["abs(@)", -24, "24"],
      ["abs(@)", 1.5, "1.5"],
      ["abs(@)", "1", ERROR],
      ["abs(@)", false, ERROR],
      ["abs(@)", null, ERROR],
    ],
    avg: [
      ["avg(@)", [10, 15, 20], "15"],
      ["avg(@)", [], NOTHING],
      ["avg(@)", [10, false, 20], ERROR],
      ["avg(@)", ["1"], ERROR],
      ["avg(@)", 1, ERROR],
    ],
    ceil: [
      ["ceil(@)", 1.001, "2"],
      ["ceil(@)", -1.5, "-1"],
      ["ceil(@)", 1, "1"],
      ["ceil(@)", "abc", ERROR],
    ],
    contains: [
      ["contains(@, 'foo')", "foobar", "true"],
      ["contains(@, 'not')", "foobar", "false"],
      ["contains(@, 'bar')", false, ERROR],
      ["contains(@, 'foo')", ["foo", "bar"], "true"],
      ["contains(@, 'o')", ["foo", "bar"], "false"],
      ["contains(@, `1`)", "a1", "false"],
      ["contains(@, `false`)", [0, "", null], "false"],
      ["contains(@, `null`)", [null], "true"],
      ["contains(@, {a: `1`})", [{ a: 1 }], "true"],
      ["contains(@, {a: `1`})", [{ a: 1, b: 2 }, { b: 1 }, [1]], "false"],
      ["contains(@, [`1`, `2`])", [[1, 2]], "true"],
      ["contains(@, [`1`, `2`])", [[2, 1]], "false"],
      ["contains(@, 'a')", { a: 1 }, ERROR],
    ],
    ends_with: [
      ["ends_with(@, 'baz')", "foobarbaz", "true"],
      ["ends_with(@, 'foo')", "foobarbaz", "false"],
      ["ends_with(@, '')", "x", "true"],
      ["ends_with(@, `1`)", "1", ERROR],
      ["ends_with(@, 'a')", ["a"], ERROR],
    ],
    floor: [
      ["floor(@)", 1.999, "1"],
      ["floor(@)", -1.5, "-2"],
      ["floor(@)", "1.9", ERROR],
    ],
    join: [
      ["join(', ', @)", ["a", "b"], json("a, b")],
      ["join('', @)", ["a", "b"], json("ab")],
      ["join(', ', @)", ["a"], json("a")],
      ["join(', ', @)", [], json("")],
      ["join(', ', @)", ["a", false, "b"], ERROR],
      ["join(', ', @)", [null], ERROR],
      ["join(`1`, @)", ["a"], ERROR],
      ["join(', ', @)", "ab", ERROR],
    ],
    keys: [
      ["sort(keys(@))", { foo: 1, bar: 2 }, json(["bar", "foo"])],
      ["keys(@)", {}, "[]"],
      ["keys(@)", [1], ERROR],
      ["keys(@)", false, ERROR],
      ["keys(@)", "ab", ERROR],
    ],
    length: [
      ["length(@)", "abc", "3"],
      ["length(@)", "a😀é", "3"],
      ["length(@)", "", "0"],
      ["length(@)", ["a", "b"], "2"],
      ["length(@)", {}, "0"],
      ["length(@)", { foo: "bar", baz: "bam" }, "2"],
      ["length(@)", 3, ERROR],
      ["length(@)", null, ERROR],
    ],
    map: [
      ["map(&foo, @)", [{ foo: "a" }, { foo: "b" }, {}, [], { foo: "f" }], json(["a", "b", null, null, "f"])],
      ["map(&foo, @)", [{ foo: 0 }, { foo: false }, { foo: "" }, { foo: [] }], json([0, false, "", []])],
      ["map(&[], @)", [[1, [2]]], json([[1, 2]])],
      ["map(&@, @)", [], "[]"],
      ["map('foo', @)", [1], ERROR],
      ["map(&foo, @)", { foo: 1 }, ERROR],
    ],
    max: [
      ["max(@)", [10, 15], "15"],
      ["max(@)", ["a", "b"], json("b")],
      ["max(@)", ["Z", "a", "ä"], json("ä")],
      ["max(@)", ["\uff61", "😀"], json("😀")],
      ["max(@)", [], NOTHING],
      ["max(@)", ["a", 2], ERROR],
      ["max(@)", [2, "a"], ERROR],
      ["max(@)", [true], ERROR],
      ["max(@)", 10, ERROR],
    ],
    max_by: [
      ["max_by(@, &age).age", [{ age: 50 }, { age: 9 }], "50"],
      ["max_by(@, &age).age", [{ age: "50" }, { age: "9" }], json("9")],
      [
        "max_by(@, &age).name",
        [
          { age: 1, name: "first" },
          { age: 1, name: "second" },
        ],
        json("first"),
      ],
      ["max_by(@, &age)", [], NOTHING],
      ["max_by(@, &age)", [{ age: 1 }, { age: "1" }], ERROR],
      ["max_by(@, &age)", [{ age: 1 }, {}], ERROR],
      ["max_by(@, &age)", [{ age: true }], ERROR],
      ["max_by(@, age)", [{ age: 1 }], ERROR],
      ["max_by(@, &age)", { age: 1 }, ERROR],
    ],
    merge: [
      ["merge(@, {b: 'c'})", { a: "b" }, json({ a: "b", b: "c" })],
      ["merge(@, {a: 'override', b: 'd'})", { a: "b", c: "e" }, json({ a: "override", c: "e", b: "d" })],
      ["merge(@)", { a: 1 }, json({ a: 1 })],
      ["merge(a, b)", { a: { x: { y: 1 } }, b: { x: { z: 2 } } }, json({ x: { z: 2 } })],
      ["merge(@, 'abc')", { a: 1 }, ERROR],
      ["merge(@, nothing)", { a: 1 }, ERROR],
      ["merge(@)", [1], ERROR],
    ],
    min: [
      ["min(@)", [10, 15], "10"],
      ["min(@)", ["b", "B", "a"], json("B")],
      ["min(@)", [], NOTHING],
      ["min(@)", ["a", 2], ERROR],
      ["min(@)", [null], ERROR],
    ],
    min_by: [
      ["min_by(@, &age).age", [{ age: 50 }, { age: 9 }], "9"],
      [
        "min_by(@, &age).name",
        [
          { age: 1, name: "first" },
          { age: 1, name: "second" },
        ],
        json("first"),
      ],
      ["min_by(@, &age)", [], NOTHING],
      ["min_by(@, &age)", [{ age: "1" }, { age: 1 }], ERROR],
      ["min_by(@, &age)", [{}], ERROR],
    ],
    not_null: [
      ["not_null(none, a, b)", { a: "", b: 1 }, json("")],
      ["not_null(a, b)", { a: 0, b: 1 }, "0"],
      ["not_null(a, b)", { a: false, b: 1 }, "false"],
      ["not_null(a, b)", { a: [], b: 1 }, "[]"],
      ["not_null(a, b)", { a: null, b: 1 }, "1"],
      ["not_null(a < b, 'not comparable')", { a: "x", b: "y" }, json("not comparable")],
      ["not_null(a, b)", {}, NOTHING],
      ["not_null()", {}, ERROR],
    ],
    reverse: [
      ["reverse(@)", [0, 1, 2], "[2,1,0]"],
      ["reverse(@)", [], "[]"],
      ["reverse(@)", ["a", 1], json([1, "a"])],
      ["reverse(@)", "abcd", json("dcba")],
      ["reverse(@)", "a😀", json("😀a")],
      ["[reverse(@), @]", [1, 2], "[[2,1],[1,2]]"],
      ["reverse(@)", { a: 1 }, ERROR],
    ],
    sort: [
      ["sort(@)", ["b", "a", "c"], json(["a", "b", "c"])],
      ["sort(@)", ["b", "A", "_", "a", "B", "ä", "z"], json(["A", "B", "_", "a", "b", "z", "ä"])],
      ["sort(@)", ["😀", "\uff61"], json(["\uff61", "😀"])],
      ["sort(@)", ["ab", "a", ""], json(["", "a", "ab"])],
      ["sort(@)", [10, 9, 1], "[1,9,10]"],
      ["sort(@)", [], "[]"],
      ["[sort(@), @]", [2, 1], "[[1,2],[2,1]]"],
      ["sort(@)", [1, "a"], ERROR],
      ["sort(@)", ["a", 1], ERROR],
      ["sort(@)", [{}], ERROR],
      ["sort(@)", { a: 1, b: 2 }, ERROR],
    ],
    sort_by: [
      ["sort_by(@, &age)[].age", [{ age: 20 }, { age: 3 }], "[3,20]"],
      ["sort_by(@, &age)[].age", [{ age: "b" }, { age: "A" }, { age: "a" }], json(["A", "a", "b"])],
      [
        "sort_by(@, &a)[].b",
        [
          { a: 1, b: 1 },
          { a: 0, b: 2 },
          { a: 1, b: 3 },
        ],
        "[2,1,3]",
      ],
      ["sort_by(@, &age)", [], "[]"],
      ["sort_by(@, &age)", [{ age: 1 }, { age: "1" }], ERROR],
      ["sort_by(@, &age)", [{ age: 1 }, {}], ERROR],
      ["sort_by(@, age)", [{ age: 1 }], ERROR],
    ],
    starts_with: [
      ["starts_with(@, 'foo')", "foobarbaz", "true"],
      ["starts_with(@, 'baz')", "foobarbaz", "false"],
      ["starts_with(@, '')", "x", "true"],
      ["starts_with(@, 'f')", ["f"], ERROR],
    ],
    sum: [
      ["sum(@)", [10, 15], "25"],
      ["sum(@)", [], "0"],
      ["sum(@)", [10, false, 20], ERROR],
      ["sum([to_number(@[0]), to_number(@[1])])", ["10", "15"], "25"],
    ],
    to_array: [
      ["to_array(@)", [1, 2], "[1,2]"],
      ["to_array(@)", "string", json(["string"])],
      ["to_array(@)", 0, "[0]"],
      ["to_array(@)", true, "[true]"],
      ["to_array(@)", { foo: 1 }, json([{ foo: 1 }])],
    ],
    to_number: [
      ["to_number(@)", "1.5", "1.5"],
      ["to_number(@)", "-0.5e2", "-50"],
      ["to_number(@)", 7, "7"],
      // A string is a number only if it matches the number grammar of JSON.
      ...["", " ", "1 ", " 1", "+1", "01", "1.", ".5", "0x10", "1_0", "Infinity", "NaN", "1n", "abc"].map(
        (text): [string, unknown, string] => ["to_number(@)", text, NOTHING],
      ),
      ["to_number(@)", false, NOTHING],
      ["to_number(@)", [0], NOTHING],
      ["to_number(@)", { foo: 0 }, NOTHING],
    ],
    to_string: [
      ["to_string(@)", "foo", json("foo")],
      ["to_string(@)", 2, json("2")],
      ["to_string(@)", [0, "x"], json('[0,"x"]')],
      ["to_string(@)", { a: null }, json('{"a":null}')],
      ["to_string(none)", {}, json("null")],
      ["to_string(&a)", {}, ERROR],
    ],
    type: [
      ["type(@)", "foo", json("string")],
      ["type(@)", true, json("boolean")],
      ["type(none)", {}, json("null")],
      ["type(@)", 123, json("number")],
      ["type(@)", 123.05, json("number")],
      ["type(@)", ["abc"], json("array")],
      ["type(@)", {}, json("object")],
      ["type(a < b)", { a: "x", b: "y" }, json("null")],
      ["type(&a)", {}, ERROR],
    ],
    values: [
      ["sort(values(@))", { foo: "baz", bar: "bam" }, json(["bam", "baz"])],
      ["values(@)", {}, "[]"],
      ["values(@)", ["a", "b"], ERROR],
      ["values(@)", false, ERROR],
    ],
  };

describe.each(Object.entries(SPECIFICATION))("%s", (name, cases) => {
  it.each(cases)("%s on %j gives %s", (expression, given, want) => {
    expect(resultOf(expression, given)).toBe(want);
  });

  it("is known by that name only, and rejected without arguments", () => {
    const otherwise = name.replace(/_?([a-z])/, (_, letter: string) => letter.toUpperCase());
    expect(isFunctionName(name)).toBe(true);
    expect(checkExpression(`${otherwise}(@)`)).toContain(`no function ${otherwise}`);
    expect(checkExpression(`list[].${otherwise}(@)`)).toContain("no function"); // checked without a source
    expect(checkExpression(`${name}()`)).toContain("arguments");
  });
});

it("an expression reference in place of a value is rejected without a source", () => {
  for (const expression of ["&a", "[&a]", "{x: &a}", "to_array(`1`) | [&@]"]) {
    expect(checkExpression(expression)).toContain("(&)");
    expect(resultOf(expression, { a: 1 })).toBe(ERROR);
  }
});

it("a number that JSON cannot express is an error, and never becomes null", () => {
  for (const expression of ["sum(@)", "avg(@)", "to_string([sum(@)])", "[sum(@)]"]) {
    expect(resultOf(expression, [1e308, 1e308])).toBe(ERROR);
  }
  const tooLarge = parseJsonTree('{"a":1e999}')?.root as JsonTree;
  expect(evaluateExpression("a", tooLarge)).toMatchObject({ kind: "found" }); // as the source spells it
});

it("a quote within other quotes does not hide brackets from the limit on copies", () => {
  const hidden = `\`'\`${"|[@,@]".repeat(20)}|[@, \`'\`]`;
  expect(checkExpression(hidden)).toContain("copies of the source");
});

describe("for any lists", () => {
  const anyTexts = fc.array(fc.string({ unit: "binary" }));
  const points = (text: string) => [...text].map((character) => character.codePointAt(0) ?? 0);
  /** The order of the specification, in a slow and simple version. */
  const inOrder = (one: string, other: string): number => {
    const [a, b] = [points(one), points(other)];
    const at = a.findIndex((point, index) => point !== b[index]);
    return at < 0 ? a.length - b.length : (a[at] ?? -1) - (b[at] ?? -1);
  };

  it("strings are sorted by code points, and none is lost", () => {
    fc.assert(
      fc.property(anyTexts, (texts) => {
        const clean = texts.map((text) => text.toWellFormed());
        const sorted = clean.toSorted(inOrder);
        expect(resultOf("sort(@)", clean)).toBe(json(sorted));
        expect(resultOf("[to_array(max(@)), to_array(min(@))]", clean)).toBe(
          json([[sorted.at(-1) ?? null], [sorted[0] ?? null]]),
        );
        expect(resultOf("sort_by(@, &@)", clean)).toBe(json(sorted));
      }),
    );
  });

  it("reversing twice returns the list, and does not change the source", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 2 })), (list) => {
        const given = JSON.parse(json(list));
        expect(resultOf("[reverse(reverse(@)), @]", given)).toBe(resultOf("[@, @]", given));
      }),
    );
  });
});
