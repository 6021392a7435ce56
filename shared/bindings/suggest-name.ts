/** The known name nearest to a misspelt one, if any is near. */
export function suggestName(written: string, known: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined;
  const plain = plainForm(written);
  if (plain.length > COMPARED_MAX) return undefined;
  for (const name of known) {
    const candidate = plainForm(name);
    const allowed = Math.max(1, Math.floor(Math.min(plain.length, candidate.length) / 3));
    if (candidate.length > COMPARED_MAX || Math.abs(candidate.length - plain.length) > allowed) continue;
    const distance = editDistance(plain, candidate);
    if (distance <= allowed && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

const COMPARED_MAX = 100;

// role_arn, role-arn and RoleARN all mean roleArn.
const plainForm = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, "");

/** Counts insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, at(beforePrevious, j - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
