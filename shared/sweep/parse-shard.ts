import type { Shard, ShardItem, ShardSource } from "./shard.ts";

/** A queue message as a shard; undefined when it is none, or one of another release. */
export function parseShard(text: string): Shard | undefined {
  let shard: Partial<Record<keyof Shard, unknown>> | null;
  try {
    shard = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof shard !== "object" || shard === null || shard.version !== 1) return undefined;
  const { sweepId, mode, plan, sweepStartedAt, cluster, items } = shard;
  const isWhole =
    typeof sweepId === "string" &&
    (mode === "metadata" || mode === "values") &&
    typeof plan === "boolean" &&
    typeof sweepStartedAt === "number" &&
    typeof cluster === "string" &&
    Array.isArray(items) &&
    items.every(isShardItem);
  return isWhole ? { version: 1, sweepId, mode, plan, sweepStartedAt, cluster, items } : undefined;
}

function isShardItem(item: Partial<ShardItem> | null): item is ShardItem {
  return (
    typeof item?.n === "string" &&
    typeof item.t === "string" &&
    isShardSource(item) &&
    (item.s === undefined || (Array.isArray(item.s) && item.s.every(isShardSource)))
  );
}

function isShardSource(source: Partial<ShardSource> | null): boolean {
  return (
    source !== null &&
    typeof source === "object" &&
    (source.v === undefined || typeof source.v === "string") &&
    (source.c === undefined || typeof source.c === "number") &&
    (source.d === undefined || source.d === true)
  );
}
