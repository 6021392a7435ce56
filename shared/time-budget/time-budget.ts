/** How long the work at hand may still take. Passed down from the handler, so that everything that waits can be stopped. */
export type TimeBudget = {
  /** Aborts when the time is up. */
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
