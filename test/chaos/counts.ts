/** What a run did, by kind. A nested kind has its own name, such as the name of an error. */
export type Counts = { readonly [kind: string]: number | Counts };

/** Over several runs: sums, except for the given names, which take the maximum. */
export function addCounts(one: Counts, other: Counts): Counts {
  const kinds = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...kinds].map((kind) => [kind, addCount(kind, one[kind], other[kind])]));
}

/** The number under a path such as `events.lost`: 0 if absent, a sum if it has kinds. */
export function countOf(counts: Counts, path: string): number {
  let at: number | Counts | undefined = counts;
  for (const kind of path.split(".")) at = typeof at === "object" ? at[kind] : undefined;
  if (at === undefined || typeof at === "number") return at ?? 0;
  return Object.keys(at).reduce((sum, kind) => sum + countOf(at, kind), 0);
}

function addCount(
  kind: string,
  one: number | Counts | undefined,
  other: number | Counts | undefined,
): number | Counts {
  if (typeof one === "object" || typeof other === "object")
    return addCounts(typeof one === "object" ? one : {}, typeof other === "object" ? other : {});
  const [first, second] = [one ?? 0, other ?? 0];
  return kind.startsWith("largest") ? Math.max(first, second) : first + second;
}
