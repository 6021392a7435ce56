import { setTimeout as sleep } from "node:timers/promises";
import { isRetryable, RelayError } from "../relay-error.ts";
import type { TimeBudget } from "./time-budget.ts";

export type RetryPolicy = {
  /** Including the first attempt. */
  readonly attemptsMax: number;
  /** The first pause. It doubles each time, with jitter between half of it and all of it. */
  readonly pauseMs: number;
  readonly pauseMsMax: number;
  /** Default: our own retryable errors. */
  readonly isWorthRetrying?: (error: unknown) => boolean;
};

/** Waits, or returns early without an error when the signal aborts; the caller's next step fails on the signal. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const waitFor: Wait = async (ms, signal) => {
  await sleep(ms, undefined, { signal }).catch(() => {});
};

/**
 * Runs `attempt` until it succeeds, throws an error that is not worth a retry, or uses up its attempts.
 *
 * A Retry-After of the server is respected. If the pause exceeds the remaining time budget, the error is thrown at once,
 * because Lambda's own retry can wait longer.
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
      const retryAfterMs = error instanceof RelayError ? (error.retryAfterMs ?? 0) : 0;
      const ms = Math.max(retryAfterMs, backoffMs(policy, attempts));
      if (ms >= budget.remainingMs()) throw error;
      await wait(ms, budget.signal);
    }
  }
}

/** The pause after the given attempt, with jitter so that callers who failed together do not retry together. */
export function backoffMs(policy: RetryPolicy, attempts: number, random: () => number = Math.random): number {
  const full = Math.min(policy.pauseMsMax, policy.pauseMs * 2 ** (attempts - 1));
  return full * (0.5 + random() / 2);
}
