import { isPastWindow, WINDOW_SECONDS } from "./call-window.ts";
import { CALLS_PER_MINUTE_MAX } from "./rate-limiter.ts";
import type { WebhookRequest } from "./read-request.ts";

export type ReplayCache = {
  /** Whether this call was already accepted. */
  has(request: WebhookRequest): boolean;
  add(request: WebhookRequest): void;
  forget(request: WebhookRequest): void;
};

/**
 * Remembers the accepted calls of this execution environment for as long as they can be replayed. `has` does not use the
 * clock, because a request may leave the time window while the signing keys are read.
 *
 * A call is identified by webhook-id and timestamp together, which a replay repeats. A sender that retries signs a new
 * timestamp and syncs again, which is harmless. With the id alone, a sender that uses one id for all of its calls would
 * lose every rotation after the first.
 */
export function replayCache(now: () => number): ReplayCache {
  const accepted = new Map<string, number>(); // key to timestamp, in the order of adding
  const keyOf = ({ id, timestamp }: WebhookRequest) => `${timestamp}.${id}`;
  const forgetOld = () => {
    for (const [key, timestamp] of accepted) if (isPastWindow(timestamp, now())) accepted.delete(key);
    for (const key of accepted.keys()) {
      if (accepted.size < CALLS_MAX) break;
      accepted.delete(key);
    }
  };
  return {
    has: (request) => accepted.has(keyOf(request)),
    add: (request) => {
      forgetOld();
      accepted.set(keyOf(request), request.timestamp);
    },
    forget: (request) => {
      accepted.delete(keyOf(request));
    },
  };
}

/**
 * A call is kept for at most 601 s: its timestamp may be five minutes in the future, and the window ends with a whole
 * second. In that time the rate limiter accepts its initial burst and the calls of 601 s.
 */
export const CALLS_MAX =
  CALLS_PER_MINUTE_MAX + Math.ceil(((2 * WINDOW_SECONDS + 1) * CALLS_PER_MINUTE_MAX) / 60);
