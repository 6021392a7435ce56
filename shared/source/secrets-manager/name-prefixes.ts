/**
 * At most ten prefixes that cover all names, for ListSecrets' name filter; none when the names share nothing, and the
 * whole account must be listed. Pure.
 */
export function namePrefixesOf(names: readonly string[]): readonly string[] {
  const folders = new Set(names.map(folderOf));
  if (folders.has("")) return [];
  let prefixes = withoutCovered([...folders]);
  while (prefixes.length > VALUES_MAX) {
    const shorter = withoutCovered(prefixes.map(parentOf));
    if (shorter.includes("")) return [];
    prefixes = shorter;
  }
  return prefixes;
}

/** ListSecrets takes ten values in a filter. */
const VALUES_MAX = 10;

/** Up to and with the last slash: `prod/shop/db` is in `prod/shop/`. */
function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}

function parentOf(folder: string): string {
  return folderOf(folder.slice(0, -1));
}

function withoutCovered(prefixes: readonly string[]): string[] {
  const sorted = [...new Set(prefixes)].sort();
  const kept: string[] = [];
  for (const prefix of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return kept;
}
