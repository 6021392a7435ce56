import type { BindingsBucket, StoredPointer } from "./bindings-bucket.ts";
import { BucketForbidden } from "./s3-bucket.ts";

/**
 * The pointer in force; or if it was deleted, its last version, without an ETag. So the generations go on after a
 * deletion, and functions that know an earlier one see a newer one.
 */
export async function readLastPointer(bucket: BindingsBucket): Promise<StoredPointer | undefined> {
  const inForce = await bucket.readPointer();
  if (inForce !== undefined) return inForce;
  try {
    for await (const { pointer, versionId } of pointersOf(bucket)) {
      return { pointer, ...(versionId !== undefined && { versionId }) };
    }
  } catch (error) {
    // A publisher who may not list versions starts again with generation 1, which the functions follow too.
    if (!(error instanceof BucketForbidden)) throw error;
  }
  return undefined;
}

/** The published pointers, the newest first. */
export async function* pointersOf(bucket: BindingsBucket): AsyncIterable<StoredPointer> {
  for await (const { versionId } of bucket.listPointerVersions()) {
    const stored = await bucket.readPointer(versionId);
    if (stored !== undefined) yield stored;
  }
}
