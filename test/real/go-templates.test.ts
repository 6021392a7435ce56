import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callsIn } from "../../cli/import-eso/go/calls-in.ts";
import { CONVERTED_FUNCTIONS } from "../../cli/import-eso/go/functions.ts";
import { parseTemplate } from "../../cli/import-eso/go/parse-template.ts";
import { compileGoRegexp } from "../../cli/import-eso/go-regexp.ts";
import { pathOf, templateRule } from "../../cli/import-eso/go-template.ts";
import { literalTexts } from "../../cli/import-eso/literal-texts.ts";
import { readTemplateConstructs } from "../../scripts/eso-constructs.ts";
import { type JsonTree, plainTextOf } from "../../shared/bindings/expressions/json-tree.ts";
import { checkTemplate, renderTemplate } from "../../shared/bindings/expressions/liquid.ts";
import { runs } from "../harness/property-runs.ts";
import { getBinary } from "./control-plane/binaries.ts";

// The program is Go's own text/template, regexp and sigs.k8s.io/yaml, with Sprig.

type Question = { readonly template: string; readonly values: Readonly<Record<string, JsonTree>> };

type Answer = {
  readonly text: string | null;
  readonly map?: Record<string, string>;
  readonly error?: string;
};

/** By Go and Sprig; undefined for an error. */
const renderAll = (questions: readonly Question[]): (string | undefined)[] =>
  ask(questions).map(({ text, error }) => (error === undefined ? decoded(text ?? "") : undefined));

/** What the operator reads in a literal; undefined for an error. */
const readAll = (questions: readonly Question[]): (Record<string, string> | undefined)[] =>
  ask(questions, true).map(({ map = {}, error }) =>
    error === undefined
      ? Object.fromEntries(Object.entries(map).map(([key, text]) => [key, decoded(text)]))
      : undefined,
  );

const decoded = (text: string): string => Buffer.from(text, "base64").toString("utf8");

function ask(questions: readonly Question[], isMap = false): Answer[] {
  const lines = questions.map(({ template, values }) => {
    const encoded = Object.entries(values).map(([name, value]) => [
      name,
      Buffer.from(plainTextOf(value)).toString("base64"),
    ]);
    return JSON.stringify({ template, values: Object.fromEntries(encoded), isMap });
  });
  return execFileSync(getBinary("render-go-templates"), { input: lines.join("\n"), maxBuffer: 1 << 28 })
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}

/** By the converted template; undefined if it is refused, now or with these values. */
function renderConverted({ template, values }: Question): string | undefined {
  const rule = templateRule(template);
  if (rule.kind === "refused") return undefined;
  const liquid = rule.write((variable) => pathOf(variable));
  expect(checkTemplate(liquid)).toBeUndefined();
  const result = renderTemplate(liquid, values);
  return result.kind === "made" ? result.text.toWellFormed() : undefined;
}

/** No character in them is newer than the Unicode 15 of Go, which escapes newer ones in `quote`. */
const STABLE_BLOCKS = [
  [0x0, 0x2ff],
  [0x400, 0x4ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0xe000, 0xe0ff],
  [0xfff0, 0xffff],
  [0x1f300, 0x1f5ff],
  [0x10fff0, 0x10ffff],
] as const;
const characterIn = (min: number, max: number) =>
  fc.integer({ min, max }).map((code) => String.fromCodePoint(code));
const anyValue = fc.oneof(
  fc.string({ unit: fc.oneof(...STABLE_BLOCKS.map(([min, max]) => characterIn(min, max))) }),
  fc.string({ unit: fc.constantFrom(..."aB,:.%é\n\t\r \"'\\<>&{}\u00a0\u0085\ufeff\u2028ßΣ") }),
  fc.constantFrom<JsonTree>("", "a,b", 5432, 0, true, false, null, "x", "YQ==", "5432"),
);
const anyValues = fc.record({ a: anyValue, b: anyValue, "c-d": anyValue });

const anyLiteral = fc.constantFrom('"x"', '"a,"', '","', '""', "`\\n`", '"\\n"', '"é\\""', '"%"', '"{{"');
const anyVariable = fc.constantFrom(".a", ".b", "$.a", '(index . "c-d")');
const { anyText } = fc.letrec<{ anyText: string }>((tie) => ({
  anyText: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    anyVariable,
    anyLiteral,
    fc
      .tuple(
        fc.constantFrom(
          "lower",
          "upper",
          "trim",
          "quote",
          "squote",
          "toJson",
          "b64enc",
          "toString",
          "urlquery",
        ),
        tie("anyText"),
      )
      .map(([name, text]) => `(${name} ${text})`),
    fc
      .tuple(
        fc.constantFrom("lower", "trim", "quote", 'default "d"', "indent 2", "nindent 3"),
        tie("anyText"),
      )
      .map(([name, text]) => `(${text} | ${name})`),
    fc
      .tuple(
        fc.constantFrom(
          "default",
          "or",
          "trimPrefix",
          "trimSuffix",
          "cat",
          "print",
          'printf "%s-%q%%"',
          "list",
        ),
        tie("anyText"),
        tie("anyText"),
      )
      .map(([name, one, two]) =>
        name === "list" ? `(join "," (list ${one} ${two}))` : `(${name} ${one} ${two})`,
      ),
    fc
      .tuple(anyLiteral, tie("anyText"), tie("anyText"))
      .map(([old, by, text]) => `(replace ${old} ${by} ${text})`),
    fc
      .tuple(fc.constantFrom("first", "last", 'join "-"'), anyLiteral, tie("anyText"))
      .map(([name, separator, text]) => `(splitList ${separator} ${text} | ${name})`),
    fc.tuple(anyLiteral, tie("anyText")).map(([separator, text]) => `(split ${separator} ${text})._0`),
    fc
      .tuple(anyLiteral, tie("anyText"))
      .map(([separator, text]) => `(index (splitList ${separator} ${text}) 0)`),
    tie("anyText").map((text) => `(b64dec (b64enc ${text}))`),
  ),
}));
const anyCondition = fc.oneof(
  anyText,
  anyText.map((text) => `not ${text}`),
  fc.tuple(fc.constantFrom("eq", "ne"), anyText, anyText).map((parts) => parts.join(" ")),
  fc.tuple(fc.constantFrom("and", "or"), anyText, anyText).map(([name, a, b]) => `${name} ${a} (not ${b})`),
);
const anyOpen = fc.constantFrom("{{", "{{ ", "{{- ");
const anyClose = fc.constantFrom("}}", " }}", " -}}");
const { anyTemplate } = fc.letrec<{ anyTemplate: string; anyPart: string }>((tie) => ({
  anyTemplate: fc.array(tie("anyPart"), { maxLength: 4 }).map((parts) => parts.join("")),
  anyPart: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: fc.constantFrom(...'a {}%-\n\t"') }),
    fc.tuple(anyOpen, anyText, anyClose).map((parts) => parts.join("")),
    fc.constantFrom("{{/* c */}}", "{{- /* c */ -}}"),
    fc
      .tuple(anyOpen, anyCondition, anyClose, tie("anyTemplate"), anyOpen, anyClose, tie("anyTemplate"))
      .map(
        ([o, c, x, then, o2, x2, otherwise]) =>
          `${o}if ${c}${x}${then}${o2}else${x2}${otherwise}${o2}end${x2}`,
      ),
  ),
}));

describe("a converted template makes what Go and Sprig make", () => {
  it("of any template and values", () => {
    const anyQuestion = fc.record({ template: anyTemplate, values: anyValues });
    let compared = 0;
    const called = new Set<string>();
    fc.assert(
      fc.property(fc.array(anyQuestion, { minLength: 100, maxLength: 100 }), (questions) => {
        const byGo = renderAll(questions);
        for (const [at, question] of questions.entries()) {
          const rule = templateRule(question.template);
          if (rule.kind === "refused") continue;
          compared += 1;
          for (const { name } of callsIn(parseTemplate(question.template))) called.add(name);
          expect({ ...question, text: renderConverted(question) }).toEqual({ ...question, text: byGo[at] });
        }
      }),
      { numRuns: runs(10) },
    );
    expect(compared).toBeGreaterThan(500);
    expect(CONVERTED_FUNCTIONS.filter((name) => !called.has(name))).toEqual([]);
  });

  it("of the rows of the documentation, which state the text", () => {
    const { values, rows } = readTemplateConstructs();
    const cases = rows.flatMap((row) => (row.forward === undefined ? row.cases : []));
    const questions = cases.map(([template]) => ({ template, values: values as Question["values"] }));

    expect(renderAll(questions)).toEqual(cases.map(([, output]) => output));
  });

  it.each(["lower", "upper", "trim", "quote", "toJson", "urlquery"])("%s of many characters", (name) => {
    // Without what is newer than the Unicode of Go, such as the capitals of two small letters.
    const questions = [0, 0x400, 0x1000, 0x1400, 0x1e00, 0x4e00, 0x1f300].map((start): Question => {
      const codes = Array.from({ length: 0x200 }, (_, index) => start + index);
      return {
        template: `{{ .a | ${name} }}`,
        values: { a: String.fromCodePoint(...codes).replace(/[\u019b\u0264]/g, "") },
      };
    });
    const byGo = renderAll(questions);
    const different = questions.flatMap((question, at) => {
      const ours = [...(renderConverted(question) ?? "")];
      return [...(byGo[at] ?? "")].filter((character, index) => character !== ours[index]).slice(0, 3);
    });
    expect(different).toEqual([]);
  });
});

describe("a literal makes the keys and values that Go makes", () => {
  const anyKey = fc.constantFrom("a", "b-c", ".env", '"1"', "'yes'", "on", "1", "null", "d");
  const anyIndent = fc.constantFrom("  ", "    ", " ");
  const anyWord = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."aZ019 .:/-_#'\"\\&*!|>%@`{}[],?=+~\té😀"), maxLength: 8 }),
    fc.constantFrom(
      "true",
      "True",
      "no",
      "null",
      "5432",
      "1.10",
      "0x10",
      "1e3",
      "012",
      "12:30",
      "2026-01-01",
      "~",
    ),
  );
  const anyAction = fc.constantFrom(
    "{{ .a }}",
    "{{ .a | quote }}",
    "{{- .a | quote -}}",
    "{{ quote .b }}",
    '{{ index . "c-d" | quote }}',
    "{{ .a | toJson }}",
  );
  const anyLine = fc.array(fc.oneof(anyWord, anyAction), { maxLength: 3 }).map((words) => words.join(""));
  const anyBlock = fc
    .tuple(
      fc.constantFrom("|", "|-", "|+", ">", "|2"),
      anyIndent,
      fc.array(anyLine, { minLength: 1, maxLength: 3 }),
    )
    .map(([sign, indent, lines]) => `${sign}\n${lines.map((line) => indent + line).join("\n")}`);
  const anyEntry = fc.tuple(
    anyKey,
    fc.oneof(
      anyWord,
      anyLine,
      anyAction,
      anyAction,
      anyBlock,
      anyBlock,
      anyWord.map((word) => `"${word}"`),
      anyWord.map((word) => `'${word}'`),
    ),
  );
  const anyLiteral = fc
    .array(anyEntry, { minLength: 1, maxLength: 3 })
    .map((entries) => entries.map(([key, value]) => `${key}: ${value}\n`).join(""));

  it("of any literal and values", () => {
    const anyQuestion = fc.record({ template: anyLiteral, values: anyValues });
    let compared = 0;
    let withValues = 0;
    fc.assert(
      fc.property(fc.array(anyQuestion, { minLength: 200, maxLength: 200 }), (questions) => {
        const byGo = readAll(questions);
        for (const [at, question] of questions.entries()) {
          const read = literalTexts(question.template);
          if (read.kind === "refused") continue;
          const isBroken = Object.values(question.values).some((value) =>
            /[\p{Cc}\u2028\u2029\ufeff\ufffe\uffff]/u.test(plainTextOf(value)),
          );
          if (read.hasLines && isBroken) continue; // the note LITERAL_LINES
          const made = read.texts.map(([key, template]) => [key, renderConverted({ ...question, template })]);
          if (made.some(([, text]) => text === undefined)) continue; // refused by its function
          compared += 1;
          if (question.template.includes("{{")) withValues += 1;
          expect({ ...question, made: Object.fromEntries(made) }).toEqual({ ...question, made: byGo[at] });
        }
      }),
      { numRuns: runs(20), endOnFailure: true },
    );
    expect(compared).toBeGreaterThan(200);
    expect(withValues).toBeGreaterThan(100);
  });
});

describe("a regular expression of find and rewrite does what Go's does", () => {
  const anyExpression = fc.oneof(
    fc.constantFrom(
      "^prod/",
      "(.*)",
      "(?P<all>.*)/(.+?)",
      "[^a-zA-Z0-9_.-]",
      "/|_",
      "a*",
      "$",
      "\\b",
      "(?i)DB",
      "x?(b|c)*",
      "(a)|(b)",
      "",
      "[[:punct:]]",
      "\\pL+",
      "(?m)^.",
      "(?s).+",
      "(?=a)",
      "a**",
      "(?<n>d)",
    ),
    fc.string({ unit: fc.constantFrom(..."ab/.*+?|()[]^$\\dwé"), maxLength: 8 }),
  );
  const anyTarget = fc.string({
    unit: fc.constantFrom("$", "1", "2", "0", "{", "}", "all", "n", "-", "x"),
    maxLength: 6,
  });
  const anyName = fc.string({ unit: fc.constantFrom(..."abcdDB/_.-é😀"), maxLength: 10 });

  it("of any expression, name and target", () => {
    const anySearch = fc.record({ source: anyExpression, target: anyTarget, name: anyName });
    let compared = 0;
    fc.assert(
      fc.property(fc.array(anySearch, { minLength: 200, maxLength: 200 }), (searches) => {
        const questions = (template: string) => searches.map((values) => ({ template, values }));
        const replaced = renderAll(questions("{{ regexReplaceAll .source .name .target }}"));
        const matched = renderAll(questions("{{ mustRegexMatch .source .name }}"));
        for (const [at, { source, target, name }] of searches.entries()) {
          const regexp = compileGoRegexp(source);
          if (regexp !== undefined) compared += 1;
          expect({
            source,
            target,
            name,
            made: regexp?.replaceAll(name, target),
            is: regexp?.matches(name),
          }).toEqual({
            source,
            target,
            name,
            made: replaced[at],
            is: matched[at] === undefined ? undefined : matched[at] === "true",
          });
        }
      }),
      { numRuns: runs(20) },
    );
    expect(compared).toBeGreaterThan(1_000);
  });
});
