import type { KeySource } from "../../shared/bindings/binding.ts";
import type { SourceEntry } from "../../shared/bindings/bindings-file.ts";
import type { NoteCode } from "./notes.ts";
import type { Conversion, Extraction, PickedKey } from "./parts.ts";

/** The sources in merge order: the extracts, then the entries of data. */
export function entriesOf(
  extracts: readonly Extraction[],
  picks: readonly PickedKey[],
  note: Conversion["note"],
): SourceEntry[] {
  const entries: SourceEntry[] = extracts.map(({ at, rules }) => ({ ...at, ...rules }));
  for (const found of Map.groupBy(picks, ({ at }) => JSON.stringify(at)).values()) {
    const [first] = found;
    if (first === undefined) continue;
    const keys: Record<string, string | KeySource> = {};
    for (const { key, made } of found) {
      if (made.kind === "whole")
        entries.push({ ...first.at, value: key, ...(made.decode && { decode: made.decode }) });
      else keys[key] = shortestOf(made.source);
    }
    if (Object.keys(keys).length > 0) entries.push({ ...first.at, keys });
  }
  if (extracts.length > 0 && entries.length > 1) note("LAST_WINS");
  for (const { rules } of extracts) note("NESTED_SPELLING", ...notesOf(rules));
  return entries;
}

/** After a rewrite the operator converts no illegal character: both it and the relay then fail. */
function notesOf(rules: Extraction["rules"]): NoteCode[] {
  if ("keys" in rules) return ["ILLEGAL_KEYS_REFUSED"];
  const renamesAll = rules.extract.rename?.every(({ pattern }) => pattern === "*") ?? true;
  return renamesAll ? [] : ["RENAMED_ALIKE"];
}

const shortestOf = (source: KeySource): string | KeySource =>
  "key" in source && source.decode === undefined ? source.key : source;

/** Combines entries of the same source that name their keys. */
export function mergeEntries(entries: readonly SourceEntry[]): SourceEntry[] {
  const result: SourceEntry[] = [];
  for (const entry of entries) {
    const { keys, ...rest } = entry;
    const same = result.findIndex((other) => {
      const { keys: otherKeys, ...otherRest } = other;
      return isMap(otherKeys) && JSON.stringify(otherRest) === JSON.stringify(rest);
    });
    const known = result[same];
    if (isMap(keys) && known !== undefined && isMap(known.keys))
      result[same] = { ...known, keys: { ...known.keys, ...keys } };
    else result.push(entry);
  }
  return result;
}

const isMap = (keys: SourceEntry["keys"]): keys is Readonly<Record<string, string | KeySource>> =>
  typeof keys === "object" && !Array.isArray(keys);
