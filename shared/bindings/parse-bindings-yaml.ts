import type { Document, Node, Pair } from "yaml";
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Position } from "./bindings-error.ts";
import { findUnclosed } from "./find-unclosed.ts";
import { describePath, type Path, type Place, ProblemList } from "./problem-list.ts";
import { quoteName } from "./quote-name.ts";
import { hasTooManyMarks } from "./yaml-marks.ts";

export type ParsedBindings = {
  /** Undefined when unreadable. Maps have no prototype, so `__proto__` and `constructor` are ordinary keys. */
  readonly value: unknown;
  /** The YAML problems; later checks add to this list. */
  readonly problems: ProblemList;
};

/** Parses YAML into plain values and keeps their positions. */
export function parseBindingsYaml(text: string): ParsedBindings {
  const lineCounter = new LineCounter();
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) return unreadable(TOO_LARGE);
  if (hasTooManyMarks(text)) return unreadable(TOO_MANY_MARKS);
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter,
      version: "1.2",
      schema: "core",
      merge: false,
      resolveKnownTags: false, // !!binary and others give values that JSON cannot represent
      stringKeys: true,
      uniqueKeys: false, // the library's check is quadratic and gives one position; plainValueOf checks instead
      prettyErrors: false, // pretty errors quote the file
      logLevel: "error", // "silent" would ignore a second document
    });
  } catch {
    return unreadable(UNPARSABLE);
  }
  const origins = new Origins(document, lineCounter);
  const problems = new ProblemList((place) => origins.positionOf(place));
  addSyntaxProblems(text, document, lineCounter, problems);
  if (!problems.isEmpty) return { value: undefined, problems };
  if (document.contents === null) return unreadable(EMPTY);
  const value = plainValueOf(document.contents, origins, problems);
  return { value: problems.isEmpty ? value : undefined, problems };
}

// 50,000 bindings of five lines each are 9 MB, and the parser takes 106 bytes of memory for each byte of the file
// (944 MB for 8.9 MB): 16 MiB stay within the heap that Node has on a small build machine.
const FILE_BYTES_MAX = 16 * 1024 * 1024;

// A valid binding is at most seven levels deep.
const DEPTH_MAX = 64;

// Aliases can expand a file of 1 KB beyond any machine's memory. 2,000,000 values are 100,000 bindings with twenty
// values each.
const EXPANDED_VALUES_MAX = 2_000_000;

type Advice = readonly [message: string, fix: string];

const TOO_LARGE: Advice = ["The file is larger than 16 MiB", "Split it into several stacks"];
const TOO_MANY_MARKS: Advice = [
  "The file has more than 1,500,000 values, brackets and quotes",
  "Split it into several stacks",
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
  RESOURCE_EXHAUSTION: [
    "The file is nested too deeply",
    "Check for brackets or hyphens that are repeated by mistake",
  ],
};

function unreadable([message, fix]: Advice): ParsedBindings {
  const problems = new ProblemList(() => FILE_START);
  problems.add({ path: [] }, message, fix);
  return { value: undefined, problems };
}

const FILE_START: Position = { line: 1, column: 1 };

function addSyntaxProblems(
  text: string,
  document: Document.Parsed,
  lines: LineCounter,
  problems: ProblemList,
): void {
  for (const { offset, advice } of syntaxProblems(text, document)) {
    problems.addAt(positionAt(lines, offset), "", ...advice);
  }
  const { yaml } = document.directives;
  if (yaml.explicit === true && yaml.version !== "1.2") {
    problems.addAt(
      FILE_START,
      "",
      "The file declares an old version of YAML",
      "Remove the line that starts with %YAML",
    );
  }
}

type SyntaxProblem = { readonly offset: number; readonly advice: Advice };

function syntaxProblems(text: string, document: Document.Parsed): SyntaxProblem[] {
  const all = [...document.errors, ...document.warnings];
  // A repeated extra bracket gives a thousand more errors without new information.
  const exhausted = all.find((error) => error.code === "RESOURCE_EXHAUSTION");
  if (exhausted !== undefined) return [{ offset: exhausted.pos[0], advice: tooDeep }];
  const unclosed = all.length > 0 ? findUnclosed(text) : undefined;
  const listed = all
    // What follows an unclosed bracket is read as a part of it, so its errors are consequences.
    .filter(({ pos }) => unclosed === undefined || pos[0] < unclosed.offset)
    .map(({ code, pos }) => ({ offset: pos[0], code, advice: SYNTAX_ADVICE[code] ?? NOT_YAML }));
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

/** Maps paths to positions in the file, through aliases too. */
class Origins {
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #aliasTargets = new Map<Node, Node>();

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  addAlias(alias: Node, target: Node): void {
    this.#aliasTargets.set(alias, target);
  }

  /** The position of the path, or of its nearest parent in the file. */
  positionOf({ path, part }: Place): Position {
    let node: Node | null = this.#document.contents;
    let offset = offsetOf(node) ?? 0;
    for (const [index, step] of path.entries()) {
      const resolved: Node | null = node === null ? null : (this.#aliasTargets.get(node) ?? node);
      let next: Node | null = null;
      if (isMap(resolved)) {
        const pair: Pair | undefined = resolved.items.find((item) => keyOf(item) === step);
        if (pair === undefined) break;
        next = pair.value as Node | null;
        const keyOffset = offsetOf(pair.key as Node | null);
        const last = index === path.length - 1;
        offset = (last && part === "key" ? keyOffset : (offsetOf(next) ?? keyOffset)) ?? offset;
      } else if (isSeq(resolved) && typeof step === "number") {
        next = (resolved.items[step] as Node | undefined) ?? null;
        offset = offsetOf(next) ?? offset;
      }
      if (next === null) break;
      node = next;
    }
    return positionAt(this.#lines, offset);
  }

  positionOfNode(node: Node | null): Position {
    return positionAt(this.#lines, offsetOf(node) ?? 0);
  }
}

const offsetOf = (node: Node | null): number | undefined => node?.range?.[0];

const keyOf = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value ?? "") : "");

type Expanded = { readonly value: unknown; readonly size: number };

/**
 * Replaces the library's toJS, which searches the whole document for every alias and loses some keys. The value of an
 * anchor is converted once and shared.
 */
function plainValueOf(root: Node, origins: Origins, problems: ProblemList): unknown {
  const anchors = new Map<string, Node>();
  const finished = new Map<Node, Expanded>();
  let overflowed = false;

  const report = (node: Node | null, path: Path, message: string, fix: string): Expanded => {
    problems.addAt(origins.positionOfNode(node), describePath(path), message, fix);
    return { value: null, size: 1 };
  };

  const convert = (node: Node | null, path: Path): Expanded => {
    if (node === null) return { value: null, size: 1 };
    if (path.length > DEPTH_MAX) return report(node, [], ...tooDeep);
    if (isAlias(node)) return convertAlias(node, node.source, path);
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, node);
    const expanded = isMap(node)
      ? convertMap(node.items, path)
      : isSeq(node)
        ? convertList(node.items as (Node | null)[], path)
        : { value: isScalar(node) ? node.value : null, size: 1 };
    if (expanded.size > EXPANDED_VALUES_MAX && !overflowed) {
      overflowed = true;
      report(
        node,
        path,
        "The file has more than 2,000,000 values after expanding its aliases",
        "Use fewer aliases",
      );
    }
    if (anchor !== undefined) finished.set(node, expanded);
    return expanded;
  };

  const convertAlias = (alias: Node, name: string, path: Path): Expanded => {
    const target = anchors.get(name);
    if (target === undefined) {
      return report(
        alias,
        path,
        `There is no anchor ${quoteName(name)} above this alias`,
        "Check the spelling, or move the anchor up",
      );
    }
    const expanded = finished.get(target);
    if (expanded === undefined) {
      return report(
        alias,
        path,
        `The alias ${quoteName(name)} is inside its own anchor`,
        "Write the value without an alias",
      );
    }
    origins.addAlias(alias, target);
    return expanded;
  };

  const convertMap = (items: readonly Pair[], path: Path): Expanded => {
    const value: Record<string, unknown> = Object.create(null);
    const firstKeys = new Map<string, Node>();
    let size = 1;
    for (const pair of items) {
      const key = keyOf(pair);
      const keyNode = pair.key as Node;
      const first = firstKeys.get(key);
      if (first === undefined) firstKeys.set(key, keyNode);
      else {
        const { line, column } = origins.positionOfNode(first);
        report(
          keyNode,
          [...path, key],
          `The map already has the key ${quoteName(key)} at ${line}:${column}`,
          "Remove one of the two",
        );
      }
      const inner = convert(pair.value as Node | null, [...path, key]);
      value[key] = inner.value;
      size += inner.size;
    }
    return { value, size };
  };

  const convertList = (items: readonly (Node | null)[], path: Path): Expanded => {
    let size = 1;
    const value = items.map((item, index) => {
      const inner = isPair(item) ? convertMap([item], [...path, index]) : convert(item, [...path, index]);
      size += inner.size;
      return inner.value;
    });
    return { value, size };
  };

  return convert(root, []).value;
}

const tooDeep = SYNTAX_ADVICE.RESOURCE_EXHAUSTION as Advice;
