import { LineCounter } from "yaml";
import type { Position } from "./bindings-error.ts";
import { type Composed, composeYaml, OLD_VERSION, PieceTooLarge } from "./compose-yaml.ts";
import { plainValues, TOO_DEEP } from "./plain-values.ts";
import { describePath, ProblemList } from "./problem-list.ts";

export type ParsedBindings = {
  /** Undefined when unreadable. Maps have no prototype, so `__proto__` and `constructor` are ordinary keys. */
  readonly value: unknown;
  /** The YAML problems; later checks add to this list. */
  readonly problems: ProblemList;
};

/** Parses YAML into plain values and keeps their positions. */
export function parseBindingsYaml(text: string, entriesPerPiece = ENTRIES_PER_PIECE): ParsedBindings {
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) return unreadable(TOO_LARGE);
  const lines = new LineCounter();
  const at = (offset: number): Position => positionAt(lines, offset);
  const problems = new ProblemList((place) => at(values.offsetAt(place)));
  const values = plainValues({
    report: (offset, path, ...advice) => problems.addAt(at(offset), describePath(path), ...advice),
    where: (offset) => `${at(offset).line}:${at(offset).column}`,
  });
  let composed: Composed;
  try {
    composed = composeYaml(text, lines, entriesPerPiece, values.take);
  } catch (error) {
    return unreadable(error instanceof PieceTooLarge ? TOO_MUCH_AT_ONCE : UNPARSABLE);
  }
  // After an error in the syntax the values are unreliable, and so are their problems.
  if (composed.errors.length > 0) {
    const found = new ProblemList(() => FILE_START);
    for (const { offset, advice } of syntaxProblems(composed)) found.addAt(at(offset), "", ...advice);
    return { value: undefined, problems: found };
  }
  if (composed.isEmpty) return unreadable(EMPTY);
  const value = values.value();
  return { value: problems.isEmpty ? value : undefined, problems };
}

// The nodes of a hundred bindings take 1 MB.
const ENTRIES_PER_PIECE = 100;

// 100,000 bindings of seven lines are 18 MB.
const FILE_BYTES_MAX = 32 * 1024 * 1024;

type Advice = readonly [message: string, fix: string];

const TOO_LARGE: Advice = ["The file is larger than 32 MiB", "Split it into several stacks"];
const TOO_MUCH_AT_ONCE: Advice = [
  "The file has more than 1,500,000 words and signs outside of a list with hyphens",
  "Write the bindings as a list with hyphens, or split them into several stacks",
];
const EMPTY: Advice = [
  "The file is empty",
  "Start with version, clusters and bindings; see bindings.yaml of this project for an example",
];
const UNPARSABLE: Advice = ["The file cannot be read as YAML", "Check it with a YAML linter"];
const NOT_YAML: Advice = [
  "This is not valid YAML",
  "Check indentation, quotes and brackets here and on the line above",
];

const CONTINUED: Advice = [
  "The line below this value is indented too far, so it continues the value",
  "Indent it like the key of this value",
];

// The parser's own messages quote the file, so each of its codes has a message here.
const SYNTAX_ADVICE: Readonly<Record<string, Advice>> = {
  BAD_ALIAS: ["This alias is not valid", "Write an alias as an asterisk and the anchor's name"],
  ALIAS_PROPS: ["An alias cannot have an anchor or a tag", "Remove the anchor or the tag before the alias"],
  MULTIPLE_ANCHORS: ["One value cannot have two anchors", "Remove one of them"],
  MULTIPLE_TAGS: ["One value cannot have two tags", "Remove the tags"],
  TAG_RESOLVE_FAILED: [
    "This YAML tag is not supported",
    "Remove the word that starts with an exclamation mark",
  ],
  BAD_DIRECTIVE: ["This YAML directive is not supported", "Remove the line that starts with a percent sign"],
  BAD_DQ_ESCAPE: [
    "There is an unknown escape after a backslash",
    "Use single quotes, or write the backslash twice",
  ],
  BAD_INDENT: [
    "The indentation does not match the lines above",
    "Indent with spaces, the same for all keys of a map",
  ],
  TAB_AS_INDENT: ["A tab is used as indentation", "Indent with spaces"],
  MISSING_CHAR: ["A closing quote or bracket, a comma or a colon is missing", "Add it here or earlier"],
  BAD_SCALAR_START: ["Plain text cannot start with this character", "Put the text in quotes"],
  BLOCK_AS_IMPLICIT_KEY: [
    "There is a second colon where a plain value is expected",
    "Put the value in quotes, or start a new line for the map",
  ],
  BLOCK_IN_FLOW: [
    "A block starts inside brackets",
    "Close the brackets first, or write the whole block inside them",
  ],
  MULTILINE_IMPLICIT_KEY: ["A key goes over more than one line", "Put the key and its colon on one line"],
  KEY_OVER_1024_CHARS: [
    "A key has more than 1,024 characters",
    "Check whether a quote or a colon is missing",
  ],
  NON_STRING_KEY: [
    "A key is not plain text",
    "Write the key as text; lists, maps and aliases cannot be keys",
  ],
  MULTIPLE_DOCS: [
    "The file holds more than one YAML document",
    "Keep one document, without lines of three hyphens inside it",
  ],
  [OLD_VERSION]: ["The file declares an old version of YAML", "Remove the line that starts with %YAML"],
};

function unreadable([message, fix]: Advice): ParsedBindings {
  const problems = new ProblemList(() => FILE_START);
  problems.add({ path: [] }, message, fix);
  return { value: undefined, problems };
}

const FILE_START: Position = { line: 1, column: 1 };

type SyntaxProblem = { readonly offset: number; readonly advice: Advice };

function syntaxProblems({ errors, unclosed }: Composed): SyntaxProblem[] {
  // A repeated extra bracket gives a thousand more errors without new information.
  const exhausted = errors.find(({ code }) => code === "RESOURCE_EXHAUSTION");
  if (exhausted !== undefined) return [{ offset: exhausted.offset, advice: TOO_DEEP }];
  const listed = errors
    // What follows an unclosed bracket is read as a part of it, so its errors are consequences.
    .filter(({ offset }) => unclosed === undefined || offset < unclosed.offset)
    .map(({ code, offset }) => ({ offset, code, advice: SYNTAX_ADVICE[code] ?? NOT_YAML }));
  const multiline = new Set(
    listed.filter(({ code }) => code === "MULTILINE_IMPLICIT_KEY").map(({ offset }) => offset),
  );
  const each = listed.flatMap(({ offset, code, advice }) => {
    // A line that is indented too far continues the value above it, and then its colon is a second one.
    if (code !== "BLOCK_AS_IMPLICIT_KEY" || !multiline.delete(offset)) return [{ offset, code, advice }];
    return [{ offset, code, advice: CONTINUED }];
  });
  const found = each.filter(({ offset, code }) => code !== "MULTILINE_IMPLICIT_KEY" || multiline.has(offset));
  if (unclosed === undefined) return found;
  const { mark, closing, offset } = unclosed;
  const what = mark === "[" || mark === "{" ? "bracket" : "quote";
  const advice: Advice = [`This ${what} ${mark} is never closed`, `Add ${closing} where its value ends`];
  return [...found, { offset, advice }];
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  // The counter returns line 0 until it has counted the first line break.
  return line === 0 ? { line: 1, column: offset + 1 } : { line, column: col };
}
