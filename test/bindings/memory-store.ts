import { createHash } from "node:crypto";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { POINTER_KEY, type Pointer, printPointer } from "../../shared/bindings/published/pointer.ts";
import type { ReadObject, StoredObject } from "../../shared/bindings/published/rules-store.ts";
import { splitIntoParts } from "../../shared/bindings/published/split-into-parts.ts";

/** A bucket in memory, with the keys that were read. */
export function memoryStore() {
  const objects = new Map<string, string>();
  const reads: string[] = [];
  let generation = 0;
  const readObject: ReadObject = async ({ key, etag }): Promise<StoredObject> => {
    reads.push(key);
    const body = objects.get(key);
    if (body === undefined) return { kind: "absent" };
    const current = createHash("md5").update(body).digest("hex");
    return current === etag ? { kind: "unchanged" } : { kind: "object", body, etag: current };
  };
  const publish = (compiled: CompiledBindings): Pointer => {
    const { content, printParts } = splitIntoParts(compiled);
    for (const { key, text } of printParts()) objects.set(key, text);
    generation += 1;
    const publishedBy = "arn:aws:iam::111122223333:role/deployer";
    const pointer = { ...content, generation, publishedAt: new Date(0).toISOString(), publishedBy };
    objects.set(POINTER_KEY, printPointer(pointer));
    return pointer;
  };
  return { objects, reads, readObject, publish };
}

export const SELF = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };
export const BUDGET = { signal: new AbortController().signal, remainingMs: () => 10_000 };
