import { Composer, type CST, Lexer, type LineCounter, type Node, Parser } from "yaml";
import { findUnclosed, type Unclosed } from "./find-unclosed.ts";

/** A part of the file. The pieces come in the order of the file, with the offsets of the whole file. */
export type Piece = {
  /**
   * - `pairs`: a map with the next pairs of the map at the top.
   * - `entries`: a list with the next entries of the list under `key`, which is the first key of the next piece that is
   *   not `entries`; that has the last entries.
   * - `rest`: the content of the file without what was taken before.
   */
  readonly kind: "pairs" | "entries" | "rest";
  readonly node: Node | null;
  readonly key: string;
  /** Where the content of the file starts. */
  readonly start: number;
};

export type Composed = {
  readonly isEmpty: boolean;
  /** With the code of the parser, or OLD_VERSION. */
  readonly errors: readonly { readonly code: string; readonly offset: number }[];
  readonly unclosed?: Unclosed;
};

/** One piece would need more memory than PIECE_WEIGHT_MAX allows. */
export class PieceTooLarge extends Error {}

/**
 * Parses a document and hands over its nodes in pieces. The parser needs 80 bytes of memory for each byte of YAML, so
 * the nodes of a large file must not exist at the same time. A block list below the top is taken apart; all else is one
 * piece. Returns what is wrong with the syntax.
 */
export function composeYaml(
  text: string,
  lines: LineCounter,
  entriesPerPiece: number,
  take: (piece: Piece) => void,
): Composed {
  const errors: { code: string; offset: number }[] = [];
  let unclosed: Unclosed | undefined;
  const compose = (tokens: Iterable<CST.Token>): Node | null => {
    const [document, another] = new Composer(OPTIONS).compose(tokens, true, text.length);
    if (document === undefined) throw new TypeError("The composer always gives a document");
    const { yaml } = document.directives;
    for (const { code, pos } of [...document.errors, ...document.warnings])
      errors.push({ code, offset: pos[0] });
    if (another !== undefined) errors.push({ code: "MULTIPLE_DOCS", offset: another.range[0] });
    if (yaml.explicit === true && yaml.version !== "1.2") errors.push({ code: OLD_VERSION, offset: 0 });
    return document.contents;
  };
  const composePart = (whole: OpenCollection, value: OpenCollection): Node | null => {
    const known = errors.length;
    const node = compose([{ type: "document", offset: value.offset, start: [], value }]);
    if (errors.length > known) unclosed ??= findUnclosed(value);
    whole.offset = node?.range?.[1] ?? whole.offset; // some errors are reported at the end of the item before
    return node;
  };
  let start: number | undefined;
  const takeEntries = ({ map, list, key }: OpenList): void => {
    start ??= map.offset;
    const pairs = takeAllButLast(map);
    const entries = takeAllButLast(list);
    if (pairs !== undefined) take({ kind: "pairs", node: composePart(map, pairs), start, key });
    if (entries !== undefined) take({ kind: "entries", node: composePart(list, entries), start, key });
  };
  let content: CST.Token | undefined;
  let canTakeApart = true;
  let strayTokens = 0;
  const note = (token: CST.Token): CST.Token => {
    if (token.type === "document") content ??= token.value;
    if (token.type === "error") strayTokens += 1;
    // A directive is for one composer, and a second document is an error.
    if (token.type === "document" || token.type === "directive") canTakeApart = false;
    return token;
  };
  const parse = function* (): Iterable<CST.Token> {
    lines.addNewLine(0);
    const parser = new Parser(lines.addNewLine);
    let weight = 0;
    for (const lexeme of new Lexer().lex(text)) {
      weight += weightOf(lexeme);
      if (weight > PIECE_WEIGHT_MAX) throw new PieceTooLarge();
      if (strayTokens > STRAY_TOKENS_MAX) return;
      for (const token of parser.next(lexeme)) yield note(token);
      const open = lexeme === "-" && canTakeApart ? findOpenList(parser.stack) : undefined;
      if (open !== undefined && open.list.items.length > entriesPerPiece) {
        takeEntries(open);
        weight = 0;
      }
    }
    for (const token of parser.end()) yield note(token);
  };
  const rest = compose(parse());
  take({ kind: "rest", node: rest, start: start ?? rest?.range?.[0] ?? 0, key: "" });
  if (errors.length > 0) unclosed ??= findUnclosed(content);
  return { isEmpty: rest === null, errors, ...(unclosed && { unclosed }) };
}

export const OLD_VERSION = "OLD_VERSION";

const OPTIONS = {
  version: "1.2",
  schema: "core",
  merge: false,
  resolveKnownTags: false, // !!binary and others give values that JSON cannot represent
  stringKeys: true,
  uniqueKeys: false, // the library's check is quadratic and gives one position; PlainValues checks instead
} as const;

// A lexeme takes 800 to 1,300 bytes as a node or an error: 16 MiB of closing brackets would take 20 GB, and 1,500,000
// take 1.6 GB.
const PIECE_WEIGHT_MAX = 1_500_000;

// More than a list of problems shows. Each takes 1,300 bytes.
const STRAY_TOKENS_MAX = 2_000;

/** Each escape in a quoted text can be an error. */
const weightOf = (lexeme: string): number => (lexeme.startsWith('"') ? lexeme.split("\\").length : 1);

type OpenCollection = CST.BlockMap | CST.BlockSequence;

/** The parser is still building the last item. */
function takeAllButLast(collection: OpenCollection): OpenCollection | undefined {
  const items = collection.items.splice(0, collection.items.length - 1);
  return items.length > 0 ? ({ ...collection, items } as OpenCollection) : undefined;
}

type OpenList = { readonly map: CST.BlockMap; readonly list: CST.BlockSequence; readonly key: string };

/** The list that the parser is building below the map at the top, if it has just started an entry there. */
function findOpenList([document, map, list, ...inner]: readonly CST.Token[]): OpenList | undefined {
  if (inner.length > 0 || list?.type !== "block-seq") return undefined;
  if (document?.type !== "document" || map?.type !== "block-map") return undefined;
  const { key, sep } = map.items.at(-1) ?? {};
  if (sep === undefined || !key || !("source" in key)) return undefined; // a list can be a key
  // An alias means the whole of what an anchor names.
  if ([...document.start, ...sep].some(({ type }) => type === "anchor" || type === "tag")) return undefined;
  return { map, list, key: key.source };
}
