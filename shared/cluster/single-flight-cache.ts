/**
 * Caches the results of slow calls by key. Concurrent callers share one call. A failure is returned to all of them and
 * is not cached.
 */
export type SingleFlightCache<T extends object> = {
  /** The cached result while it is fresh, else the result of `load`. */
  get(key: string, load: () => Promise<T>): Promise<T>;
  /**
   * Drops the cached result when `isWrong` matches it. A newer result, or a call in progress, stays: when many callers
   * failed with the same result, only the first one drops it.
   */
  forget(key: string, isWrong: (result: T) => boolean): boolean;
};

export function singleFlightCache<T extends object>(isFresh: (result: T) => boolean): SingleFlightCache<T> {
  const entries = new Map<string, { readonly loading: Promise<T>; result?: T }>();
  return {
    get: (key, load) => {
      const cached = entries.get(key);
      if (cached && (cached.result === undefined || isFresh(cached.result))) return cached.loading;
      const entry: { readonly loading: Promise<T>; result?: T } = { loading: load() };
      entries.set(key, entry);
      entry.loading.then(
        (result) => {
          entry.result = result;
        },
        () => {
          if (entries.get(key) === entry) entries.delete(key);
        },
      );
      return entry.loading;
    },
    forget: (key, isWrong) => {
      const result = entries.get(key)?.result;
      return result !== undefined && isWrong(result) && entries.delete(key);
    },
  };
}
