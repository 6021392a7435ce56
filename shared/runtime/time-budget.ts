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
