import type { Pointer } from "../../shared/bindings/published/pointer.ts";

/** A pointer in the bucket. */
export type StoredPointer = {
  readonly pointer: Pointer;
  /** For a compare-and-swap. Absent if the pointer was deleted after this version: then a publication creates it. */
  readonly etag?: string;
  /** Absent in a bucket without versioning. */
  readonly versionId?: string;
};

/** One version of the pointer, newest first in a list. */
export type PointerVersion = { readonly versionId: string; readonly isLatest: boolean };

/** The bucket of a stack, as a publisher uses it. */
export type BindingsBucket = {
  readonly name: string;
  /** Undefined before the first publication. Without `versionId`: the pointer in force. */
  readPointer(versionId?: string): Promise<StoredPointer | undefined>;
  listPointerVersions(): AsyncIterable<PointerVersion>;
  /** The text of a part; undefined if it is absent. */
  readPart(hash: string): Promise<string | undefined>;
  putPart(hash: string, text: string): Promise<void>;
  /** Replaces exactly the version with that ETag, or creates the first pointer. False if the pointer has changed. */
  putPointer(text: string, expected: string | undefined): Promise<boolean>;
};
