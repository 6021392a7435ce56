import type { CompiledBindings } from "../binding.ts";
import { type BindingsDiff, diffBindings } from "./diff-bindings.ts";
import type { Pointer } from "./pointer.ts";

/** Reads the bindings of the parts that `isWanted` selects by their hash. */
export type ReadBindings = (
  pointer: Pointer,
  isWanted: (hash: string) => boolean,
) => Promise<Pick<CompiledBindings, "clusters" | "bindings">>;

/** What putting `after` in force instead of `before` changes. Reads only the parts that differ. */
export async function compareGenerations(
  readBindings: ReadBindings,
  before: Pointer,
  after: Pointer,
): Promise<BindingsDiff> {
  const read = (one: Pointer, other: Pointer) => {
    const shared = new Set(one.parts.length === other.parts.length ? other.parts : []);
    return readBindings(one, (hash) => !shared.has(hash));
  };
  return diffBindings(await read(before, after), await read(after, before));
}
