import { shortenTimeBudget, type TimeBudget } from "../../runtime/time-budget.ts";

/**
 * How long a value waits for S3. A read takes 20 to 50 ms, and one in a thousand takes a second. A second try on a new
 * connection still fits in. A longer wait would only delay rotations of unchanged bindings, which go on without S3.
 */
export const STORE_WAIT_MS_MAX = 2_000;

/** Runs a read of the store with what is left of the time. Without any time left, the read sends no request. */
export type WaitForStore = <T>(read: (budget: TimeBudget) => Promise<T>) => Promise<T>;

/** Limits the time for which several reads wait for S3 together. Reads at the same time count once. */
export function limitStoreWait(budget: TimeBudget, now: () => number = Date.now): WaitForStore {
  let endedMs = 0;
  let running = 0;
  let since = 0;
  const waitedMs = (): number => endedMs + (running > 0 ? now() - since : 0);
  return async (read) => {
    const leftMs = STORE_WAIT_MS_MAX - waitedMs();
    if (running === 0) since = now();
    running += 1;
    try {
      return await read(shortenTimeBudget(budget, leftMs, now));
    } finally {
      endedMs = waitedMs();
      since = now();
      running -= 1;
    }
  };
}
