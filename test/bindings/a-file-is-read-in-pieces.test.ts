import fc from "fast-check";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { parseBindingsYaml } from "../../shared/bindings/parse-bindings-yaml.ts";
import type { Path } from "../../shared/bindings/problem-list.ts";
import { runs } from "../harness/property-runs.ts";
import { anyDamagedFile } from "./any-damaged-file.ts";
import { withBindings } from "./bindings-text.ts";

/** Everything that the checks and the messages use: the values, the problems, and the position of each value and key. */
function readIn(text: string, entriesPerPiece: number) {
  const { value, problems } = parseBindingsYaml(text, entriesPerPiece);
  const paths = value === undefined ? [] : pathsIn(value);
  const positions = paths.map((path) => [problems.where({ path }), problems.where({ path, part: "key" })]);
  return { value, problems: problems.sorted(), positions };
}

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null || path.length > 12) return [path];
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...inner.flatMap(([step, child]) => pathsIn(child, [...path, step]))];
}

function expectSameInPieces(text: string) {
  const whole = readIn(text, Number.POSITIVE_INFINITY);
  for (const entries of [1, 2]) expect(readIn(text, entries)).toEqual(whole);
  return whole;
}

const ENTRY = "  - source: prod/db\n    targets: [{ namespace: shop, name: db }]\n";

it.each([
  [
    "lists that are not indented",
    "version: 1\nbindings:\n- a: 1\n- b: 2\n-\n- c: 3\nclusters:\n- 1\n- 2\n- 3\n",
  ],
  ["comments and empty lines between entries", `a:\n # b\n  - 1 # c\n\n  # d\n  - 2\n\n\n  - 3\n# e\nb: 1\n`],
  [
    "an anchor in the defaults, and another of that name later",
    `d: &x 1\na:\n  - *x\n  - &x 2\n  - *x\n  - *x\ne: *x\n`,
  ],
  ["an anchor of the whole list", `x: &a 1\na: &a\n  - 1\n  - *a\n  - 2\nb: *a\n`],
  ["an anchor of the whole file", `--- &a\na:\n  - 1\n  - *a\n  - 2\n`],
  ["an alias without an anchor", `a:\n  - 1\n  - *b\n  - &b 2\n  - *b\n`],
  ["the same key before and after a list", `a: 1\nb:\n  - 1\n  - 2\n  - 3\na: 2\nb: 3\n`],
  ["keys that are numbers", `9: 1\n1: 2\nb:\n  - 7: 1\n    3: 2\n  - x: 1\n  - 2\n5: 1\n`],
  ["keys that every object has", `__proto__:\n  - 1\n  - constructor: 1\n  - __proto__: 1\n`],
  [
    "block texts, and texts of several lines",
    `a:\n  - |\n   - 1\n   - 2\n  - >-\n   x\n   y\n  - b\n    - c\n  - "q\n    - r"\n`,
  ],
  ["lists in lists", `a:\n  - - 1\n    - 2\n    - 3\n  - - - 4\n      - 5\n  - 6\n`],
  ["a list as a key", `? - a\n  - b\n  - c\n: - d\n  - e\n  - f\n`],
  ["a second document", `a:\n  - 1\n  - 2\n---\nb:\n  - 1\n  - 2\n  - 3\n`],
  ["directives", `%YAML 1.1\n%TAG !e! tag:yaml.org,2002:\n---\na:\n  - !e!str 1\n  - 2\n  - 3\n`],
  ["a bracket that an early entry never closes", withBindings(`${ENTRY}  - source: [a\n${ENTRY.repeat(3)}`)],
  ["a quote that an early entry never closes", withBindings(`${ENTRY}  - source: "a\n${ENTRY.repeat(3)}`)],
  ["wrong indentation", withBindings(`${ENTRY}   - a: 1\n${ENTRY} - b\n${ENTRY}`)],
  ["a list that starts on the line of its key", "a: - 1\n   - 2\n   - 3\n"],
  ["tabs", "a:\n\t- 1\n  - 2\n\t- 3\n  - 4\n"],
  ["lines that end with a carriage return", "a:\r\n  - 1\r\n  - 2\r\n  - 3\r\nb: 4\r\n"],
])("a file with %s has the same values, problems and positions in pieces as in one", (_what, text) => {
  expectSameInPieces(text);
});

it("so has any damaged file, with any changed characters", () => {
  const anyCharacter = fc.oneof(
    fc.constantFrom(..."\0\t\r\n &*!|>%@`'\"{}[],:-?#~", "\n- ", "\n  - ", "&a ", "*a", "---\n"),
    fc.string({ maxLength: 3 }),
  );
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), anyCharacter), { maxLength: 4 });
  let read = 0;
  fc.assert(
    fc.property(anyDamagedFile, edits, (file, changes) => {
      const text = changes.reduce((text, [where, length, put]) => {
        const at = where % (text.length + 1);
        return text.slice(0, at) + put + text.slice(at + length);
      }, stringify(file));
      if (expectSameInPieces(text).value !== undefined) read += 1;
    }),
    { numRuns: runs(200) },
  );
  expect(read).toBeGreaterThan(20);
});
