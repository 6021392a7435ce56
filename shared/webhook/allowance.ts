export type Allowance = {
  /** Takes one; 0 when there was one, otherwise the milliseconds until there is. */
  take(): number;
};

/** The highest value that the setting takes. */
export const CALLS_PER_MINUTE_MAX = 1_000;

/** A token bucket: so many a minute, and as many at once after a quiet minute. */
export function allow(perMinute: number, now: () => number): Allowance {
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
