import type { Binding } from "../bindings/binding.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { SourceState } from "../source/source-state.ts";
import type { SweepMode } from "./report.ts";

/**
 * A bounded part of a sweep, as one queue message. It has the listed versions of its sources, so that they are listed
 * once per sweep, not once per shard. A repeated or late shard is harmless: its source versions are confirmed before any
 * write, and bindings are looked up again.
 */
export type Shard = {
  readonly version: 1;
  readonly sweepId: string;
  readonly mode: SweepMode;
  readonly plan: boolean;
  /** When the sweep began, ms since the epoch. */
  readonly sweepStartedAt: number;
  /** Of a sweep of what publications changed since this generation. */
  readonly since?: number;
  readonly cluster: string;
  readonly items: readonly ShardItem[];
};

/** Short names, because a shard may have thousands of items and a message has a size limit. */
export type ShardItem = {
  /** Namespace and name of the target. */
  readonly n: string;
  readonly t: string;
  /** With several sources: one entry for each, in the binding's order. */
  readonly s?: readonly ShardSource[];
} & ShardSource;

/** `v`: the current VersionId, `c`: the last change, `d`: a deprecated version. Empty if the source was not listed. */
export type ShardSource = { readonly v?: string; readonly c?: number; readonly d?: true };

/** `listed` has the listed state of each source, in the binding's order; undefined for one that was not listed. */
export type SweepItem = { readonly binding: Binding; readonly listed?: readonly (SourceState | undefined)[] };

/** Splits bindings by cluster and size. A namespace that fits stays in one part, so that it is listed once. */
export function splitIntoShards<T extends { readonly binding: Binding }>(
  items: readonly T[],
  sizeMax: number,
): { readonly cluster: string; readonly items: readonly T[] }[] {
  return [...Map.groupBy(items, ({ binding }) => binding.target.cluster)].flatMap(([cluster, ofCluster]) =>
    packNamespaces(ofCluster, sizeMax).map((part) => ({ cluster, items: part })),
  );
}

function packNamespaces<T extends { readonly binding: Binding }>(
  items: readonly T[],
  sizeMax: number,
): T[][] {
  const parts: T[][] = [];
  let part: T[] = [];
  for (const namespace of Map.groupBy(items, ({ binding }) => binding.target.namespace).values()) {
    if (part.length > 0 && part.length + namespace.length > sizeMax) {
      parts.push(part);
      part = [];
    }
    for (let start = 0; start < namespace.length; start += sizeMax) {
      const piece = namespace.slice(start, start + sizeMax);
      if (piece.length === sizeMax) parts.push(piece);
      else part.push(...piece);
    }
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

export function shardItemOf({ binding: { target }, listed = [] }: SweepItem): ShardItem {
  const name = { n: target.namespace, t: target.name };
  const sources = listed.map(shardSourceOf);
  return sources.length > 1 ? { ...name, s: sources } : { ...name, ...sources[0] };
}

function shardSourceOf(listed: SourceState | undefined): ShardSource {
  if (listed?.kind !== "current") return {};
  const { versionId, changedAt, isDeprecated } = listed;
  return {
    v: versionId,
    ...(changedAt !== undefined && { c: changedAt }),
    ...(isDeprecated && { d: isDeprecated }),
  };
}

/** Undefined when nothing was listed, or when the binding now has another number of sources. */
export function listedOf({ s, ...only }: ShardItem, { sources }: Binding): SweepItem["listed"] {
  const listed = (s ?? [only]).map(({ v, c, d }): SourceState | undefined => {
    if (v === undefined) return undefined;
    const state = { kind: "current", versionId: v as VersionId } as const;
    return { ...state, ...(c !== undefined && { changedAt: c }), ...(d && { isDeprecated: d }) };
  });
  const isAny = listed.some((state) => state !== undefined);
  return isAny && listed.length === sources.length ? listed : undefined;
}

/** Unique within one cluster. */
export const nameOfSecret = ({ namespace, name }: { namespace: string; name: string }): string =>
  `${namespace}/${name}`;
