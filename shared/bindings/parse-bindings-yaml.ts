import type { Document, Node, Pair } from "yaml";
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Position } from "./bindings-error.ts";
import { describePath, type Path, type Place, ProblemList, quoteName } from "./problem-list.ts";
import { hasTooManyMarks } from "./yaml-marks.ts";

export type ParsedBindings = {
  /** Maps have no prototype, so that `__proto__` and `constructor` are names like any other. Undefined when unreadable. */
  readonly value: unknown;
  /** What is wrong with it as YAML; the list goes on to collect what is wrong with its contents. */
  readonly problems: ProblemList;
};

/** YAML text -> plain value, and the position of everything in it. */
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
      resolveKnownTags: false, // !!binary and the like would give values that JSON cannot hold
      stringKeys: true,
      uniqueKeys: false, // its check is quadratic and names one place; ours is in plainValueOf
      prettyErrors: false, // those quote the source
      logLevel: "error", // with "silent", a second document would be dropped without a word
    });
  } catch {
    return unreadable(UNPARSABLE);
  }
  const origins = new Origins(document, lineCounter);
  const problems = new ProblemList((place) => origins.positionOf(place));
  addSyntaxProblems(document, lineCounter, problems);
  if (!problems.isEmpty) return { value: undefined, problems };
  if (document.contents === null) return unreadable(EMPTY);
  const value = plainValueOf(document.contents, origins, problems);
  return { value: problems.isEmpty ? value : undefined, problems };
}

// 50,000 bindings of five lines each are 9 MB, and the parser takes 106 bytes of memory for each byte of the file
// (944 MB for 8.9 MB): 16 MiB stay within the heap that Node has on a small build machine.
const FILE_BYTES_MAX = 16 * 1024 * 1024;

// A binding is seven levels deep at most; more only comes from a mistake or an attack on the stack.
const DEPTH_MAX = 64;

// Aliases may multiply a file of 1 KB into more than any machine holds. 2,000,000 values are 100,000 bindings with
// twenty values each.
const EXPANDED_VALUES_MAX = 2_000_000;

type Advice = readonly [message: string, fix: string];

const TOO_LARGE: Advice = ["The file is larger than 16 MiB", "Split it over several stacks"];
const TOO_MANY_MARKS: Advice = [
  "The file has more than 1,500,000 values, brackets and quotes",
  "Split it over several stacks",
];
const EMPTY: Advice = [
  "The file is empty",
  "Start it with version, clusters and bindings; bindings.yaml of this project is an example",
];
const UNPARSABLE: Advice = ["The file cannot be read as YAML", "Check it with a YAML linter"];
const NOT_YAML: Advice = [
  "This is not correct YAML",
  "Check indentation, quotes and brackets here and on the line above",
];

// The parser's own messages quote the file, so each of its codes is told in our words.
const SYNTAX_ADVICE: Readonly<Record<string, Advice>> = {
  BAD_ALIAS: ["This alias is not written correctly", "Write an alias as an asterisk and the anchor's name"],
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
    "The indentation does not fit what is above",
    "Indent by spaces, the same for all keys of a map",
  ],
  TAB_AS_INDENT: ["A tab is used as indentation", "Indent with spaces"],
  MISSING_CHAR: ["A closing quote or bracket, a comma or a colon is missing", "Add it here or before"],
  BAD_SCALAR_START: ["Plain text cannot start with this character", "Put the text in quotes"],
  BLOCK_AS_IMPLICIT_KEY: [
    "There is a second colon where a plain value is expected",
    "Put the value in quotes, or start a new line for the map",
  ],
  BLOCK_IN_FLOW: [
    "A block starts inside brackets",
    "Close the brackets first, or write all of it inside them",
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

function addSyntaxProblems(document: Document.Parsed, lines: LineCounter, problems: ProblemList): void {
  const all = [...document.errors, ...document.warnings];
  // One bracket too many, repeated, gives a thousand more errors that say nothing new.
  const exhausted = all.find((error) => error.code === "RESOURCE_EXHAUSTION");
  for (const error of exhausted === undefined ? all : [exhausted]) {
    const [message, fix] = SYNTAX_ADVICE[error.code] ?? NOT_YAML;
    problems.addAt(positionAt(lines, error.pos[0]), "", message, fix);
  }
  const { yaml } = document.directives;
  if (yaml.explicit === true && yaml.version !== "1.2") {
    problems.addAt(
      FILE_START,
      "",
      "The file asks for an old version of YAML",
      "Remove the line that starts with %YAML",
    );
  }
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  // Before the first line break is counted, the counter knows no line at all.
  return line === 0 ? { line: 1, column: offset + 1 } : { line, column: col };
}

/** Remembers where values come from, aliases included, so that any path can be pointed at. */
class Origins {
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #meanings = new Map<Node, Node>();

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  rememberAlias(alias: Node, meaning: Node): void {
    this.#meanings.set(alias, meaning);
  }

  /** The place itself, or the nearest thing around it that the file spells out. */
  positionOf({ path, part }: Place): Position {
    let node: Node | null = this.#document.contents;
    let offset = offsetOf(node) ?? 0;
    for (const [index, step] of path.entries()) {
      const resolved: Node | null = node === null ? null : (this.#meanings.get(node) ?? node);
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
 * Nodes -> plain value. Not the library's toJS: that looks for every alias through the whole document again, and
 * sets keys in a way of its own. What stands behind an anchor is converted once and shared; nobody changes it.
 */
function plainValueOf(root: Node, origins: Origins, problems: ProblemList): unknown {
  const anchors = new Map<string, Node>();
  const finished = new Map<Node, Expanded>();
  let overflowed = false;

  const complain = (node: Node | null, path: Path, message: string, fix: string): Expanded => {
    problems.addAt(origins.positionOfNode(node), describePath(path), message, fix);
    return { value: null, size: 1 };
  };

  const convert = (node: Node | null, path: Path): Expanded => {
    if (node === null) return { value: null, size: 1 };
    if (path.length > DEPTH_MAX) return complain(node, [], ...tooDeep);
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
      complain(
        node,
        path,
        "The file holds more than 2,000,000 values once its aliases are put in",
        "Use fewer aliases",
      );
    }
    if (anchor !== undefined) finished.set(node, expanded);
    return expanded;
  };

  const convertAlias = (alias: Node, name: string, path: Path): Expanded => {
    const meaning = anchors.get(name);
    if (meaning === undefined) {
      return complain(
        alias,
        path,
        `No anchor ${quoteName(name)} is above this alias`,
        "Check the spelling, or move the anchor up",
      );
    }
    const expanded = finished.get(meaning);
    if (expanded === undefined) {
      return complain(
        alias,
        path,
        `The alias ${quoteName(name)} stands inside its own anchor`,
        "Write the value out",
      );
    }
    origins.rememberAlias(alias, meaning);
    return expanded;
  };

  const convertMap = (items: readonly Pair[], path: Path): Expanded => {
    const value: Record<string, unknown> = Object.create(null);
    const seen = new Map<string, Node>();
    let size = 1;
    for (const pair of items) {
      const key = keyOf(pair);
      const keyNode = pair.key as Node;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, keyNode);
      else {
        const { line, column } = origins.positionOfNode(first);
        complain(
          keyNode,
          [...path, key],
          `${quoteName(key)} is here a second time; the first is at ${line}:${column}`,
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
