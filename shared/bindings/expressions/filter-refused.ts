import { type JsonTree, plainTextOf } from "./json-tree.ts";

/** Its message names the filter and quotes nothing of the source. */
export class FilterRefused extends Error {
  override readonly name = "FilterRefused";
}

/** The text that the value has in a Secret. */
export const textOf = (value: unknown): string => plainTextOf((value ?? null) as JsonTree);
