import { type WebhookRequest, WINDOW_SECONDS } from "./read-request.ts";

export type CallMemory = {
  /** True when this very call was accepted before. */
  has(request: WebhookRequest): boolean;
  add(request: WebhookRequest): void;
  forget(request: WebhookRequest): void;
};

/**
 * Knows the calls that this execution environment accepted, for as long as one could be replayed.
 *
 * A call is its webhook-id and its timestamp together. A replay has both; a sender that tries again signs anew, with a
 * new timestamp, and runs again, which is harmless. By the id alone, a sender that uses one id for all of its calls would
 * be told "accepted" and lose every rotation but the first.
 */
export function rememberCalls(now: () => number): CallMemory {
  const until = new Map<string, number>(); // in the order of adding
  const keyOf = ({ id, timestamp }: WebhookRequest) => `${timestamp}.${id}`;
  const forgetOld = () => {
    for (const [key, endsAt] of until) if (endsAt < now()) until.delete(key);
    for (const key of until.keys()) {
      if (until.size < CALLS_MAX) break;
      until.delete(key);
    }
  };
  return {
    has: (request) => (until.get(keyOf(request)) ?? 0) >= now(),
    add: (request) => {
      forgetOld();
      until.set(keyOf(request), (request.timestamp + WINDOW_SECONDS) * 1_000);
    },
    forget: (request) => {
      until.delete(keyOf(request));
    },
  };
}

// Ten minutes (a timestamp may be five in the future) of the most calls a minute that the setting allows.
export const CALLS_MAX = 10_000;
