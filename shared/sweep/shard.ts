import type { Binding } from "../bindings/binding.ts";
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
  /** VersionId under AWSCURRENT and the last change, when the sweep listed the source. */
  readonly v?: string;
  readonly c?: number;
};

export type SweepItem = { readonly binding: Binding; readonly listed?: SourceState };

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

export function shardItemOf({ binding: { target }, listed }: SweepItem): ShardItem {
  return {
    n: target.namespace,
    t: target.name,
    ...(listed?.kind === "current" && {
      v: listed.versionId,
      ...(listed.changedAt !== undefined && { c: listed.changedAt }),
    }),
  };
}
