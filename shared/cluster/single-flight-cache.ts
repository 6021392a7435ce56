/**
 * Answers of slow calls, by key. Askers who come while a call is under way share it, so that a burst of them makes one
 * call; a failure is told to those who wait for it and is not kept.
 */
export type SingleFlightCache<T extends object> = {
  /** The answer at hand while it is fresh, or that of `ask`. */
  get(key: string, ask: () => Promise<T>): Promise<T>;
  /**
   * Drops the answer at hand when it is the one that proved wrong. One that came since, or is under way, stays: of many
   * callers who failed together the first makes room, and the others must not undo it.
   */
  forget(key: string, isWrong: (answer: T) => boolean): boolean;
};

export function singleFlightCache<T extends object>(isFresh: (answer: T) => boolean): SingleFlightCache<T> {
  const held = new Map<string, Held<T>>();
  return {
    get: (key, ask) => {
      const known = held.get(key);
      if (known !== undefined && (known.answer === undefined || isFresh(known.answer))) return known.asked;
      const entry: Held<T> = { asked: ask() };
      held.set(key, entry);
      entry.asked.then(
        (answer) => {
          entry.answer = answer;
        },
        () => {
          if (held.get(key) === entry) held.delete(key);
        },
      );
      return entry.asked;
    },
    forget: (key, isWrong) => {
      const answer = held.get(key)?.answer;
      return answer !== undefined && isWrong(answer) && held.delete(key);
    },
  };
}

type Held<T> = { readonly asked: Promise<T>; answer?: T };
