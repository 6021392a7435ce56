import type { Binding, CompiledBindings } from "../../shared/bindings/binding.ts";
import { compareGenerations } from "../../shared/bindings/published/compare-generations.ts";
import { type BindingsDiff, diffBindings } from "../../shared/bindings/published/diff-bindings.ts";
import { partsOfBinding } from "../../shared/bindings/published/part.ts";
import type { Pointer } from "../../shared/bindings/published/pointer.ts";
import { splitIntoParts } from "../../shared/bindings/published/split-into-parts.ts";
import type { BindingsBucket, StoredPointer } from "./bindings-bucket.ts";
import { readPublished } from "./read-published.ts";

/** What putting `after` in force instead of `before` would change. Reads only the parts that differ. */
export const comparePublished = (
  bucket: Pick<BindingsBucket, "readPart">,
  before: Pointer,
  after: Pointer,
): Promise<BindingsDiff> =>
  compareGenerations((pointer, isWanted) => readPublished(bucket, pointer, isWanted), before, after);

const NOTHING: CompiledBindings = { version: 1, relay: "", clusters: {}, bindings: [] };

/** What publishing these bindings would change. Reads only the parts that differ. After a deletion nothing is in force. */
export async function compareWithPublished(
  bucket: Pick<BindingsBucket, "readPart">,
  compiled: CompiledBindings,
  published: StoredPointer | undefined,
): Promise<BindingsDiff> {
  if (published?.etag === undefined) return diffBindings(NOTHING, compiled);
  const { parts } = published.pointer;
  const after = splitIntoParts(compiled).content.parts;
  if (after.length !== parts.length) {
    return diffBindings(await readPublished(bucket, published.pointer), compiled);
  }
  const differs = new Set(parts.keys().filter((part) => parts[part] !== after[part]));
  const hashes = new Set([...differs].map((part) => parts[part] ?? ""));
  const before = await readPublished(bucket, published.pointer, (hash) => hashes.has(hash));
  const isConcerned = (binding: Binding) => !partsOfBinding(binding, parts.length).isDisjointFrom(differs);
  return diffBindings(before, { ...compiled, bindings: compiled.bindings.filter(isConcerned) });
}
