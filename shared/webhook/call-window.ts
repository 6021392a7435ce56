/**
 * Whether a call's timestamp is near enough to now, either way. Both are compared in whole seconds, as the libraries of
 * Standard Webhooks do it: a call that was signed 300.999 s ago is still accepted.
 */
export function isInWindow(timestamp: number, now: number): boolean {
  return Math.abs(secondsOf(now) - timestamp) <= WINDOW_SECONDS;
}

/** Whether the timestamp is too old, now and from now on. Until then the call could be replayed. */
export function isPastWindow(timestamp: number, now: number): boolean {
  return secondsOf(now) - timestamp > WINDOW_SECONDS;
}

const secondsOf = (ms: number): number => Math.floor(ms / 1_000);

/** How far the timestamp of a call may be from now, either way: what Standard Webhooks' own libraries allow. */
export const WINDOW_SECONDS = 300;
