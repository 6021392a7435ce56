import { isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair } from "yaml";
import type { Piece } from "./compose-yaml.ts";
import type { Path, Place } from "./problem-list.ts";
import { quoteName } from "./quote-name.ts";

export type PlainValuesOptions = {
  readonly report: (offset: number, path: Path, message: string, fix: string) => void;
  /** `line:column` */
  readonly where: (offset: number) => string;
};

/**
 * Turns the pieces of a file into plain values, and knows the offset of each. Maps have no prototype, so `__proto__` and
 * `constructor` are ordinary keys.
 *
 * It replaces the library's toJS, which searches the whole document for every alias and loses some keys. The value of an
 * anchor is converted once and shared.
 */
export function plainValues({ report, where }: PlainValuesOptions) {
  const anchors = new Map<string, Anchor>();
  const offsets = new Offsets();
  let overflowed = false;

  const refuse = (node: Node | null, path: Path, message: string, fix: string): Converted => {
    report(offsetOf(node) ?? 0, path, message, fix);
    return NULL;
  };

  const convert = (node: Node | null, path: Path): Converted => {
    if (node === null) return NULL;
    if (path.length > DEPTH_MAX) return refuse(node, [], ...TOO_DEEP);
    if (isAlias(node)) return convertAlias(node, node.source, path);
    const { anchor: name } = node as { anchor?: string };
    const anchor: Anchor = {};
    if (name !== undefined) anchors.set(name, anchor);
    anchor.converted = checkSize(convertContent(node, path), node, path);
    return anchor.converted;
  };

  const checkSize = (converted: Converted, node: Node | null, path: Path): Converted => {
    if (converted.size > EXPANDED_VALUES_MAX && !overflowed) {
      overflowed = true;
      refuse(
        node,
        path,
        "The file has more than 2,000,000 values after expanding its aliases",
        "Use fewer aliases",
      );
    }
    return converted;
  };

  const convertContent = (node: Node, path: Path): Converted => {
    if (isMap(node)) {
      const map = newMap();
      for (const pair of node.items) addPair(map, pair, path);
      return closeMap(map);
    }
    if (isSeq(node)) {
      const list = newList();
      addEntries(list, node.items as (Node | null)[], path);
      return closeList(list);
    }
    return { ...NULL, value: isScalar(node) ? node.value : null };
  };

  const convertAlias = (alias: Node, name: string, path: Path): Converted => {
    const anchor = anchors.get(name);
    if (anchor === undefined) {
      return refuse(
        alias,
        path,
        `There is no anchor ${quoteName(name)} above this alias`,
        "Check the spelling, or move the anchor up",
      );
    }
    return (
      anchor.converted ??
      refuse(
        alias,
        path,
        `The alias ${quoteName(name)} is inside its own anchor`,
        "Write the value without an alias",
      )
    );
  };

  const addPair = (map: OpenMap, pair: Pair, path: Path, begun?: BegunList): void => {
    const key = keyOf(pair);
    const keyNode = pair.key as Node | null;
    const node = pair.value as Node | null;
    const keyOffset = offsetOf(keyNode) ?? NOWHERE;
    const first = map.entries.get(key);
    if (first !== undefined) {
      refuse(
        keyNode,
        [...path, key],
        `The map already has the key ${quoteName(key)} at ${where(first[0])}`,
        "Remove one of the two",
      );
    }
    const inner = [...path, key];
    const { value, size, block } =
      begun !== undefined && isSeq(node)
        ? checkSize(closeList(addEntries(begun, node.items as (Node | null)[], inner)), node, inner)
        : convert(node, inner);
    map.value[key] = value;
    map.size += size;
    if (first === undefined)
      map.entries.set(key, [keyOffset, begun?.offset ?? offsetOf(node) ?? keyOffset, block]);
  };

  const closeMap = ({ value, entries, size }: OpenMap): Converted => {
    // An object has its keys in this order: those that are numbers come first.
    const block = Object.keys(value).flatMap((key) => entries.get(key) ?? []);
    return { value, size, block: offsets.add(block) };
  };

  const addEntries = (list: OpenList, nodes: readonly (Node | null)[], path: Path): OpenList => {
    for (const node of nodes) {
      const inner = [...path, list.value.length];
      const pair = isPair(node) ? newMap() : undefined;
      if (pair !== undefined) addPair(pair, node as unknown as Pair, inner);
      const { value, size, block } = pair === undefined ? convert(node, inner) : closeMap(pair);
      list.value.push(value);
      list.size += size;
      list.block.push(NOWHERE, offsetOf(node) ?? NOWHERE, block);
    }
    return list;
  };

  const closeList = ({ value, block, size }: OpenList): Converted => ({
    value,
    size,
    block: offsets.add(block),
  });

  let root = NULL;
  let rootOffset = 0;
  let top: OpenMap | undefined;
  let begun: BegunList | undefined;

  const addToTop = (node: Node | null): OpenMap => {
    top ??= newMap();
    for (const pair of isMap(node) ? node.items : []) {
      addPair(top, pair, [], begun);
      begun = undefined;
    }
    return top;
  };

  return {
    /** Expects all pieces of the file in their order. */
    take: ({ kind, node, key, start }: Piece): void => {
      rootOffset = start;
      if (kind === "pairs") addToTop(node);
      else if (kind === "entries") {
        begun ??= { ...newList(), offset: offsetOf(node) ?? NOWHERE };
        if (isSeq(node)) addEntries(begun, node.items as (Node | null)[], [key]);
      } else if (top === undefined && begun === undefined) root = convert(node, []);
      else root = checkSize(closeMap(addToTop(node)), node, []);
    },
    /** Of the whole file, after its last piece. */
    value: (): unknown => root.value,
    /** The offset of the place, or of its nearest parent in the file. */
    offsetAt: ({ path, part }: Place): number => {
      let { value, block } = root;
      let offset = rootOffset;
      for (const [index, step] of path.entries()) {
        const found = indexIn(value, step);
        if (found === undefined) break;
        const place = offsets.get(block, found);
        const isWanted = index === path.length - 1 && part === "key" && place.key !== NOWHERE;
        if (isWanted) offset = place.key;
        else if (place.value !== NOWHERE) offset = place.value;
        value = (value as Readonly<Record<string | number, unknown>>)[step];
        block = place.block;
      }
      return offset;
    },
  };
}

// A valid binding is at most seven levels deep.
const DEPTH_MAX = 64;

// Aliases can expand a file of 1 KB beyond any machine's memory. 2,000,000 values are 100,000 bindings with twenty
// values each.
const EXPANDED_VALUES_MAX = 2_000_000;

export const TOO_DEEP = [
  "The file is nested too deeply",
  "Check for brackets or hyphens that are repeated by mistake",
] as const;

/** `block` is where the offsets of its children are; `size` counts what it holds. */
type Converted = { readonly value: unknown; readonly size: number; readonly block: number };

const NULL: Converted = { value: null, size: 1, block: 0 };

/** Without a value while its node is being converted. */
type Anchor = { converted?: Converted };

/** The key's offset, the value's offset, the value's block. */
type Entry = readonly [key: number, value: number, block: number];

type OpenMap = {
  readonly value: Record<string, unknown>;
  readonly entries: Map<string, Entry>;
  size: number;
};
type OpenList = { readonly value: unknown[]; readonly block: number[]; size: number };
type BegunList = OpenList & { readonly offset: number };

const newMap = (): OpenMap => ({ value: Object.create(null), entries: new Map(), size: 1 });
const newList = (): OpenList => ({ value: [], block: [], size: 1 });

const NOWHERE = -1;

const offsetOf = (node: Node | null): number | undefined => node?.range?.[0];

const keyOf = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value ?? "") : "");

function indexIn(value: unknown, step: string | number): number | undefined {
  if (typeof value !== "object" || value === null || (typeof step === "number") !== Array.isArray(value))
    return undefined;
  const index = typeof step === "number" ? step : Object.keys(value).indexOf(step);
  return index < 0 || index >= Object.keys(value).length ? undefined : index;
}

/** Three numbers for each value: as objects, those of 100,000 bindings would take 100 MB. */
class Offsets {
  #numbers = new Int32Array(3_072);
  #length = 0;

  /** Returns the block of these entries. */
  add(entries: readonly number[]): number {
    const block = this.#length;
    this.#length += entries.length;
    if (this.#length > this.#numbers.length) {
      const larger = new Int32Array(Math.max(this.#length, this.#numbers.length * 2));
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers.set(entries, block);
    return block;
  }

  get(block: number, index: number): { key: number; value: number; block: number } {
    const [key = NOWHERE, value = NOWHERE, inner = 0] = this.#numbers.subarray(block + 3 * index);
    return { key, value, block: inner };
  }
}
