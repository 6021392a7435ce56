import { CALLS_PER_MINUTE_MAX } from "./allowance.ts";
import { isPastWindow, WINDOW_SECONDS } from "./call-window.ts";
import type { WebhookRequest } from "./read-request.ts";

export type CallMemory = {
  /** True when this very call was accepted before. */
  has(request: WebhookRequest): boolean;
  add(request: WebhookRequest): void;
  forget(request: WebhookRequest): void;
};

/**
 * Knows the calls that this execution environment accepted, for as long as one could be replayed: by the same window
 * that a request is checked with. `has` looks at no clock, because a request that was in the window when it came may
 * have left it by the time the signing keys are read.
 *
 * A call is its webhook-id and its timestamp together. A replay has both; a sender that tries again signs anew, with a
 * new timestamp, and runs again, which is harmless. By the id alone, a sender that uses one id for all of its calls would
 * be told "accepted" and lose every rotation but the first.
 */
export function rememberCalls(now: () => number): CallMemory {
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
 * A call is kept for 601 s at most: its timestamp may be five minutes in the future, and the window ends with a whole
 * second. In that time the allowance lets through what it holds at first and what it gains.
 */
export const CALLS_MAX =
  CALLS_PER_MINUTE_MAX + Math.ceil(((2 * WINDOW_SECONDS + 1) * CALLS_PER_MINUTE_MAX) / 60);
