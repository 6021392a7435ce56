import { setTimeout as sleep } from "node:timers/promises";
import { isRetryable, RelayError } from "../relay-error.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";

export type RetryPolicy = {
  /** How often in all, the first try included. */
  readonly attemptsMax: number;
  /** The first pause; it doubles each time, and each pause is drawn between half of it and all of it. */
  readonly pauseMs: number;
  readonly pauseMsMax: number;
  /** Every retryable error of ours, unless said otherwise. */
  readonly isWorthRetrying?: (error: unknown) => boolean;
};

/** Waits, or ends early without an error when the signal aborts: the caller's next step sees the aborted signal. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const waitFor: Wait = async (ms, signal) => {
  await sleep(ms, undefined, { signal }).catch(() => {});
};

/**
 * Runs `attempt` until it succeeds, fails for good, or no attempt is left.
 *
 * Only our own retryable errors are tried again: a bug does not get better. A pause that the other side asked for
 * (Retry-After) is kept; when it does not fit into what is left of the budget, the error is thrown at once, because
 * the Lambda's own retry can wait longer than we can.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  policy: RetryPolicy,
  budget: TimeBudget,
  wait: Wait = waitFor,
): Promise<T> {
  const { isWorthRetrying = isRetryable } = policy;
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isWorthRetrying(error) || attempts >= policy.attemptsMax) throw error;
      const askedMs = error instanceof RelayError ? (error.retryAfterMs ?? 0) : 0;
      const ms = Math.max(askedMs, backoffMs(policy, attempts));
      if (ms >= budget.remainingMs()) throw error;
      await wait(ms, budget.signal);
    }
  }
}

/** The pause after the given attempt, with jitter so that callers who failed together do not return together. */
export function backoffMs(policy: RetryPolicy, attempts: number, random: () => number = Math.random): number {
  const full = Math.min(policy.pauseMsMax, policy.pauseMs * 2 ** (attempts - 1));
  return full * (0.5 + random() / 2);
}
