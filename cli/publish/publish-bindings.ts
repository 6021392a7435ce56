import pMap from "p-map";
import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { type Pointer, printPointer } from "../../shared/bindings/published/pointer.ts";
import { splitIntoParts } from "../../shared/bindings/published/split-into-parts.ts";
import type { ReportProgress } from "../terminal/progress.ts";
import type { BindingsBucket, StoredPointer } from "./bindings-bucket.ts";

export type Publisher = {
  readonly callerArn: string;
  readonly now: () => number;
  readonly reportProgress: ReportProgress;
};

/** `superseded`: another publication came first, and nothing was put in force. */
export type Published =
  | { readonly kind: "published"; readonly pointer: Pointer; readonly partsWritten: number }
  | { readonly kind: "superseded"; readonly by: StoredPointer | undefined };

/**
 * Puts bindings in force: first the parts, then the pointer by compare-and-swap on the version that the caller has
 * compared with. Until the pointer is replaced, the former bindings are in force, so a publication may end at any point.
 */
export async function publishBindings(
  bucket: BindingsBucket,
  compiled: CompiledBindings,
  before: StoredPointer | undefined,
  publisher: Publisher,
): Promise<Published> {
  const { content, printParts } = splitIntoParts(compiled);
  const present = new Set(before?.etag === undefined ? [] : before.pointer.parts); // who deletes a pointer may delete parts
  const missing = content.parts.filter((hash) => hash !== "" && !present.has(hash)).length;
  let partsWritten = 0;
  await pMap(
    printParts(),
    async ({ hash, text }) => {
      if (present.has(hash)) return;
      await bucket.putPart(hash, text);
      partsWritten += 1;
      publisher.reportProgress(`${partsWritten} of ${missing} parts`);
    },
    { concurrency: PUTS_AT_ONCE },
  );
  const published = await replacePointer(bucket, content, before, publisher);
  return published.kind === "published" ? { ...published, partsWritten } : published;
}

/** Puts the bindings of an old generation in force again. Their parts are still in the bucket. */
export async function rollBack(
  bucket: BindingsBucket,
  to: Pointer,
  before: StoredPointer,
  publisher: Publisher,
): Promise<Published> {
  const { version, relay, clusters, counts, parts } = to;
  const content = { version, relay, clusters, counts, parts, rollbackTo: to.generation };
  const published = await replacePointer(bucket, content, before, publisher);
  return published.kind === "published" ? { ...published, partsWritten: 0 } : published;
}

async function replacePointer(
  bucket: BindingsBucket,
  content: Omit<Pointer, "generation" | "publishedAt" | "publishedBy">,
  before: StoredPointer | undefined,
  { callerArn, now }: Publisher,
): Promise<{ kind: "published"; pointer: Pointer } | Extract<Published, { kind: "superseded" }>> {
  const pointer: Pointer = {
    ...content,
    generation: (before?.pointer.generation ?? 0) + 1,
    publishedAt: new Date(now()).toISOString(),
    publishedBy: callerArn,
    ...(before?.versionId !== undefined && { previousVersion: before.versionId }),
  };
  const text = printPointer(pointer);
  if (await bucket.putPointer(text, before?.etag)) return { kind: "published", pointer };
  // If the response to our own PUT was lost, the SDK's second attempt meets our pointer.
  const by = await bucket.readPointer();
  if (by !== undefined && printPointer(by.pointer) === text) return { kind: "published", pointer };
  return { kind: "superseded", by };
}

const PUTS_AT_ONCE = 16;
