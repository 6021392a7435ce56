import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from "yaml";

export type MergeProblem = { readonly reason: string; readonly offset: number };

/**
 * Why a merge key (`<<`) has no clear result. To kubectl the later of `<<` and a key of the map wins, to the YAML parser
 * here the key of the map. Merges within merges are refused because their cost grows exponentially.
 */
export function mergeProblem(document: Document): MergeProblem | undefined {
  let problem: MergeProblem | undefined;
  let merges = 0;
  visit(document, {
    Map: (_, map) => {
      for (const [index, pair] of map.items.entries()) {
        if (!isMerge(pair)) continue;
        const sources = sourcesOf(document, pair.value as Node | null);
        merges += sources.length;
        const reason = reasonAgainst(sources, map.items.slice(0, index), merges);
        if (reason !== undefined) {
          problem = { reason, offset: (pair.key as Node).range?.[0] ?? 0 };
          return visit.BREAK;
        }
      }
      return undefined;
    },
  });
  return problem;
}

const MERGES_MAX = 100;

function reasonAgainst(
  sources: readonly (YAMLMap | undefined)[],
  before: readonly Pair[],
  merges: number,
): string | undefined {
  if (merges > MERGES_MAX) return `it has more than ${MERGES_MAX} merge keys (<<)`;
  if (before.some(isMerge)) return "a map has two merge keys (<<). Put both maps into the list of one";
  for (const source of sources) {
    if (source === undefined) return "a merge key (<<) takes a map, or a list of maps";
    if (source.items.some(isMerge)) {
      return "a merge key (<<) takes a map that has one itself. Write its keys out";
    }
    if (before.some(({ key }) => source.has(key))) {
      return "a merge key (<<) comes after a key that it also sets, and kubectl overwrites this key. Put << first, or remove one of both";
    }
  }
  return undefined;
}

/** In quotes it is a key like any other. The parser reads it as a symbol. */
const isMerge = ({ key }: Pair): boolean => isScalar(key) && typeof key.value === "symbol";

function sourcesOf(document: Document, value: Node | null): (YAMLMap | undefined)[] {
  const node = isAlias(value) ? value.resolve(document) : value;
  const nodes = isSeq(node) ? node.items.slice(0, MERGES_MAX + 1) : [node];
  return nodes.map((each) => {
    const found = isAlias(each) ? each.resolve(document) : each;
    return isMap(found) ? found : undefined;
  });
}
