import { firstAbortOf } from "./first-abort.ts";

/** The remaining time of an invocation. The handler passes it down, so that every wait can be stopped. */
export type TimeBudget = {
  readonly signal: AbortSignal;
  remainingMs(): number;
};

export function startTimeBudget(totalMs: number, now: () => number = Date.now): TimeBudget {
  const endsAt = now() + totalMs;
  return {
    signal: AbortSignal.timeout(Math.max(0, Math.floor(totalMs))),
    remainingMs: () => Math.max(0, endsAt - now()),
  };
}

/** Ends with the given budget, or after `ms` if that is earlier. */
export function shortenTimeBudget(budget: TimeBudget, ms: number, now: () => number = Date.now): TimeBudget {
  const own = startTimeBudget(ms, now);
  return {
    signal: ms > 0 ? firstAbortOf(budget.signal, own.signal) : AbortSignal.abort(),
    remainingMs: () => Math.min(budget.remainingMs(), own.remainingMs()),
  };
}
