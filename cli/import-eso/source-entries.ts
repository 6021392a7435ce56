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
  for (const { rules } of extracts) note(...notesOf(rules));
  return entries;
}

/** After a rewrite the operator converts no illegal character: both it and the relay then fail. */
function notesOf(rules: Extraction["rules"]): NoteCode[] {
  if ("value" in rules) return [];
  const { jmespath, rename } = "extract" in rules ? rules.extract : {};
  const notes: NoteCode[] = ["NESTED_SPELLING"];
  if (jmespath !== undefined) notes.push("PATH_TWICE");
  if (rename === undefined) notes.push("ILLEGAL_KEYS_REFUSED");
  else if (rename.some(({ pattern }) => pattern !== "*")) notes.push("RENAMED_ALIKE");
  return notes;
}

/** Whether two of them can set the same key: some keys are known only when the source is read. */
export function mayCollide(
  entries: readonly SourceEntry[],
  named: Readonly<Record<string, unknown>> = {},
): boolean {
  const all = Object.keys(named);
  let hasUnknown = false;
  for (const { keys, value } of entries) {
    if (value !== undefined) all.push(value);
    else if (typeof keys === "object") all.push(...Object.keys(keys));
    else hasUnknown = true;
  }
  const parts = entries.length + (Object.keys(named).length > 0 ? 1 : 0);
  return new Set(all).size < all.length || (hasUnknown && parts > 1);
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
