import type { Binding } from "../bindings/binding.ts";
import type { VersionId } from "../source/secret-id.ts";
import type { SourceState } from "../source/source-state.ts";
import type { SweepMode } from "./report.ts";

/**
 * One bounded part of a sweep, as one queue message. It names targets and what the sweep saw of their sources, so that
 * the sources are listed once a sweep and not once a shard. A shard that comes twice or late does no harm: what it says
 * of a source is confirmed before anything is done, and bindings are looked up anew.
 */
export type Shard = {
  readonly version: 1;
  readonly sweepId: string;
  readonly mode: SweepMode;
  readonly plan: boolean;
  /** When the sweep began, ms since the epoch. */
  readonly sweepStartedAt: number;
  readonly cluster: string;
  readonly items: readonly ShardItem[];
};

/** Short names: a message takes 1 MiB at most, and a shard may have thousands. */
export type ShardItem = {
  /** Namespace and name of the target. */
  readonly n: string;
  readonly t: string;
  /** Of several sources: what was listed of each, in the binding's order. */
  readonly s?: readonly ShardSource[];
} & ShardSource;

/** The current VersionId and the last change, when the sweep listed the source; `d` for a deprecated version. */
export type ShardSource = { readonly v?: string; readonly c?: number; readonly d?: true };

/** With what was listed of each source, in the binding's order; undefined of one that was not. */
export type SweepItem = { readonly binding: Binding; readonly listed?: readonly (SourceState | undefined)[] };

/**
 * Splits bindings by cluster and by size, with a namespace in one piece where it fits: it is listed once then, and its
 * orphans are judged in one place.
 */
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

/** Undefined when nothing was listed, or of another number of sources than the binding has by now. */
export function listedOf({ s, ...only }: ShardItem, { sources }: Binding): SweepItem["listed"] {
  const listed = (s ?? [only]).map(({ v, c, d }): SourceState | undefined => {
    if (v === undefined) return undefined;
    const state = { kind: "current", versionId: v as VersionId } as const;
    return { ...state, ...(c !== undefined && { changedAt: c }), ...(d && { isDeprecated: d }) };
  });
  const isAny = listed.some((state) => state !== undefined);
  return isAny && listed.length === sources.length ? listed : undefined;
}

/** Within one cluster. */
export function nameOfSecret({
  namespace,
  name,
}: {
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${namespace}/${name}`;
}
