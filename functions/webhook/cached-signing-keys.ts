import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SigningKey } from "./signing-key.ts";

export type SigningKeys = {
  /** The cached keys, or fresh keys when the cache has expired. */
  current(budget: TimeBudget): Promise<readonly SigningKey[]>;
  /** Reads the keys again; undefined if that was tried within the last minute. */
  renew(budget: TimeBudget): Promise<readonly SigningKey[] | undefined>;
};

/** Caches the keys: not every call reads Secrets Manager, but a removed key soon stops working. */
export function cachedSigningKeys(
  read: (budget: TimeBudget) => Promise<readonly SigningKey[]>,
  now: () => number,
): SigningKeys {
  let kept: { readonly keys: readonly SigningKey[]; readonly readAt: number } | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;

  const refresh = async (budget: TimeBudget): Promise<readonly SigningKey[]> => {
    triedAt = now();
    try {
      kept = { keys: await read(budget), readAt: now() };
      return kept.keys;
    } catch (error) {
      failed = { error, at: now() };
      throw error;
    }
  };
  return {
    current: async (budget) => {
      if (kept !== undefined && now() - kept.readAt < KEYS_LIFE_MS) return kept.keys;
      if (failed !== undefined && now() - failed.at < FAILURE_LIFE_MS) throw failed.error;
      return refresh(budget);
    },
    renew: async (budget) => (now() - triedAt < RENEWAL_MS ? undefined : refresh(budget)),
  };
}

/** A key works at most this long after its removal from the secret. */
export const KEYS_LIFE_MS = 300_000;

/** Minimum time between renewals, which unauthenticated callers can cause. */
export const RENEWAL_MS = 60_000;

/** Minimum time between reads after a failed one, which every call would otherwise repeat. */
const FAILURE_LIFE_MS = 5_000;
