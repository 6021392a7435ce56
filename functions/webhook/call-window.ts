/**
 * Whether a call's timestamp is near enough to now. Compares whole seconds, as the libraries of Standard Webhooks do: a
 * call that was signed 300.999 s ago is still accepted.
 */
export function isInWindow(timestamp: number, now: number): boolean {
  return Math.abs(secondsOf(now) - timestamp) <= WINDOW_SECONDS;
}

/** Whether the timestamp is too old for a replay. */
export function isPastWindow(timestamp: number, now: number): boolean {
  return secondsOf(now) - timestamp > WINDOW_SECONDS;
}

const secondsOf = (ms: number): number => Math.floor(ms / 1_000);

/** The maximum difference between a call's timestamp and now, as in the libraries of Standard Webhooks. */
export const WINDOW_SECONDS = 300;
