import type { TimeBudget } from "../time-budget/time-budget.ts";
import type { SigningKey } from "./signing-key.ts";

export type SigningKeys = {
  /** Those at hand, read anew when they are old. */
  current(budget: TimeBudget): Promise<readonly SigningKey[]>;
  /** Reads again, unless that was tried within the last minute: undefined then. */
  renew(budget: TimeBudget): Promise<readonly SigningKey[] | undefined>;
};

/** Keeps the keys for a while: Secrets Manager is not asked for each call, and a key that was taken away ends soon. */
export function keepSigningKeys(
  read: (budget: TimeBudget) => Promise<readonly SigningKey[]>,
  now: () => number,
): SigningKeys {
  let kept: { readonly keys: readonly SigningKey[]; readonly readAt: number } | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;

  const readAnew = async (budget: TimeBudget): Promise<readonly SigningKey[]> => {
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
      return readAnew(budget);
    },
    renew: async (budget) => (now() - triedAt < RENEWAL_MS ? undefined : readAnew(budget)),
  };
}

/** How long a key works on after it was taken out of the secret, at most. */
export const KEYS_LIFE_MS = 300_000;

/** Strangers can cause a renewal, so not more often than this. */
export const RENEWAL_MS = 60_000;

/** And after a failed read, which every call would repeat, not more often than this. */
export const FAILURE_LIFE_MS = 5_000;
