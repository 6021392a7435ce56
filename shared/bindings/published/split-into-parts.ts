import type { Binding, CompiledBindings } from "../binding.ts";
import { hashOfPart, partsOfBinding, printPart } from "./part.ts";
import { keyOfPart, type Pointer } from "./pointer.ts";

/** What a publication writes: the parts, and the pointer without what only the publisher knows. */
export type Publication = {
  readonly content: Pick<Pointer, "version" | "relay" | "clusters" | "counts" | "parts">;
  /** The parts in their order, printed one at a time: those of 100,000 bindings have 50 MB. */
  readonly printParts: () => Iterable<{ readonly key: string; readonly hash: string; readonly text: string }>;
};

/** Pure: the same bindings give the same parts, in whatever order the file has them. */
export function splitIntoParts({ relay, clusters, bindings }: CompiledBindings): Publication {
  const count = partsFor(bindings.length);
  const members = Array.from({ length: count }, (): Binding[] => []);
  const sources = new Set<string>();
  for (const binding of bindings) {
    for (const part of partsOfBinding(binding, count)) members[part]?.push(binding);
    for (const { id } of binding.sources) sources.add(id);
  }
  for (const part of members) part.sort(byTarget);
  const printParts = function* () {
    for (const part of members) {
      if (part.length === 0) continue;
      const text = printPart(part);
      const hash = hashOfPart(text);
      yield { key: keyOfPart(hash), hash, text };
    }
  };
  const hashes = members.map((part) => (part.length === 0 ? "" : hashOfPart(printPart(part))));
  const counts = { bindings: bindings.length, sources: sources.size };
  return { content: { version: 1, relay, clusters, counts, parts: hashes }, printParts };
}

/** A power of two, so that the number of parts changes only when the bindings double or halve. */
function partsFor(bindings: number): number {
  const wanted = Math.ceil(bindings / BINDINGS_PER_PART);
  return Math.min(PARTS_MAX, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}

/** About 30 kB. A rotation reads and parses one part. */
const BINDINGS_PER_PART = 100;

/** 1,024 hashes are 36 kB of pointer, which a start parses in less than a millisecond. */
const PARTS_MAX = 1_024;

function byTarget({ target: one }: Binding, { target: other }: Binding): number {
  return (
    compare(one.cluster, other.cluster) ||
    compare(one.namespace, other.namespace) ||
    compare(one.name, other.name)
  );
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
