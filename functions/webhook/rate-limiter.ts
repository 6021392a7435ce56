export type RateLimiter = {
  /** Returns 0 and takes a token if one is available, otherwise the milliseconds until one is. */
  take(): number;
};

/** The maximum of the setting WEBHOOK_CALLS_PER_MINUTE. */
export const CALLS_PER_MINUTE_MAX = 1_000;

/** A token bucket, which allows a burst of `perMinute` calls after a quiet minute. */
export function rateLimiter(perMinute: number, now: () => number): RateLimiter {
  const msForOne = 60_000 / perMinute;
  let left = perMinute;
  let countedAt = now();
  return {
    take: () => {
      const at = now();
      left = Math.min(perMinute, left + Math.max(0, at - countedAt) / msForOne);
      countedAt = at;
      if (left < 1) return Math.ceil((1 - left) * msForOne);
      left -= 1;
      return 0;
    },
  };
}
