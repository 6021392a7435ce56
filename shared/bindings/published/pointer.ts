import { RelayError } from "../../relay-error.ts";
import type { CompiledBindings } from "../binding.ts";
import { isCluster, isCount } from "../compiled-fields.ts";

/**
 * The small object that says which bindings are in force. It is the only object of the store that changes, and only by
 * compare-and-swap on its ETag.
 */
export type Pointer = {
  readonly version: 1;
  /** 1 for the first publication. A rollback is a new generation with the parts of an old one. */
  readonly generation: number;
  readonly relay: string;
  readonly publishedAt: string;
  /** The ARN of the publisher, for people. */
  readonly publishedBy: string;
  /** The generation whose bindings a rollback put in force again. */
  readonly rollbackTo?: number;
  /** S3's version of the pointer before this one. Absent in the first pointer, and in a bucket without versions. */
  readonly previousVersion?: string;
  readonly clusters: CompiledBindings["clusters"];
  readonly counts: { readonly bindings: number; readonly sources: number };
  /** The hash of each part, "" for a part without bindings. The length is a power of two. */
  readonly parts: readonly string[];
};

export const POINTER_KEY = "bindings.json";

export const keyOfPart = (hash: string): string => `parts/${hash}.json`;

export const printPointer = (pointer: Pointer): string => JSON.stringify(pointer);

/** Throws BindingsDamaged for anything that `publish` does not write. */
export function parsePointer(text: string): Pointer {
  const value = parseJson(text, POINTER_KEY);
  if (!isMap(value) || value.version !== 1) {
    throw new BindingsDamaged(POINTER_KEY, "is not a pointer of version 1");
  }
  if (!isPointer(value)) throw new BindingsDamaged(POINTER_KEY, "is damaged");
  return value;
}

function isPointer(value: AnyMap): value is AnyMap & Pointer {
  const { generation, relay, publishedAt, publishedBy, rollbackTo, previousVersion } = value;
  const { clusters, counts, parts } = value;
  return (
    isCount(generation) &&
    generation > 0 &&
    typeof relay === "string" &&
    typeof publishedAt === "string" &&
    typeof publishedBy === "string" &&
    (rollbackTo === undefined || isCount(rollbackTo)) &&
    (previousVersion === undefined || typeof previousVersion === "string") &&
    isMap(clusters) &&
    Object.values(clusters).every(isCluster) &&
    isMap(counts) &&
    isCount(counts.bindings) &&
    isCount(counts.sources) &&
    Array.isArray(parts) &&
    isPowerOfTwo(parts.length) &&
    parts.every((hash) => hash === "" || (typeof hash === "string" && HASH.test(hash)))
  );
}

/** Half of a SHA-256: 128 bits in hexadecimal. */
const HASH = /^[0-9a-f]{32}$/;

const isPowerOfTwo = (count: number): boolean => count > 0 && (count & (count - 1)) === 0;

/** An object of the store is missing, damaged, or from another version. */
export class BindingsDamaged extends RelayError {
  override readonly name = "BindingsDamaged";
  readonly code = "BINDINGS_DAMAGED";
  readonly retryable = false;

  constructor(key: string, problem: string) {
    super(`The published object ${key} ${problem}. Publish the bindings again: secret-relay publish.`);
  }
}

export type AnyMap = Readonly<Record<string, unknown>>;

export const isMap = (value: unknown): value is AnyMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function parseJson(text: string, key: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BindingsDamaged(key, "is not JSON");
  }
}
