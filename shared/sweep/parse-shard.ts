import type { Shard, ShardItem, ShardSource } from "./shard.ts";

/**
 * Parses a queue message; undefined unless it is a shard of this format version. A parsed shard needs no further checks:
 * its times can be printed, and its id fits into a log line.
 */
export function parseShard(text: string): Shard | undefined {
  let shard: Partial<Record<keyof Shard, unknown>> | null;
  try {
    shard = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof shard !== "object" || shard === null || shard.version !== 1) return undefined;
  const { sweepId, mode, plan, sweepStartedAt, since, cluster, items } = shard;
  const isValid =
    typeof sweepId === "string" &&
    SWEEP_ID.test(sweepId) &&
    (mode === "metadata" || mode === "values") &&
    typeof plan === "boolean" &&
    isInstant(sweepStartedAt) &&
    (since === undefined || isGeneration(since)) &&
    typeof cluster === "string" &&
    Array.isArray(items) &&
    items.every(isShardItem);
  if (!isValid) return undefined;
  const common = { version: 1, sweepId, mode, plan, sweepStartedAt, cluster, items } as const;
  return since === undefined ? common : { ...common, since };
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
    (source.v === undefined || (typeof source.v === "string" && source.v.length <= VERSION_ID_MAX)) &&
    (source.c === undefined || isInstant(source.c)) &&
    (source.d === undefined || source.d === true)
  );
}

const isGeneration = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function isInstant(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= INSTANT_MAX;
}

/** ms since the epoch. A later Date is invalid and throws when it is printed (ECMA-262, 21.4.1.1). */
const INSTANT_MAX = 8.64e15;

/** Secrets Manager accepts up to 64 characters from the client. */
const VERSION_ID_MAX = 64;

const SWEEP_ID = /^[\w-]{1,64}$/;
