import type { TimeBudget } from "../../runtime/time-budget.ts";
import type { Binding } from "../binding.ts";
import type { Pointer } from "./pointer.ts";

/** Where published rules come from, with the pointer that they follow. */
export type RulesStore = {
  readonly pointer: Pointer;
  readonly readObject: ReadObject;
  readonly readParts: ReadParts;
};

/** Reads an object of the store. With the ETag of a known version, an unchanged object is not sent again. */
export type ReadObject = (
  request: { readonly key: string; readonly etag?: string; readonly versionId?: string },
  budget: TimeBudget,
) => Promise<StoredObject>;

export type StoredObject =
  | { readonly kind: "object"; readonly body: string; readonly etag: string }
  | { readonly kind: "unchanged" }
  | { readonly kind: "absent"; readonly isDeleted?: true };

/** Reads the bindings of these parts, each once. */
export type ReadParts = (
  pointer: Pointer,
  numbers: Iterable<number>,
  budget: TimeBudget,
) => Promise<readonly Binding[]>;
