import { keyOfSource } from "../source/key-of-source.ts";
import type { Source } from "../source/source.ts";
import type { SourceState } from "../source/source-state.ts";

/** Describes each source once per sweep. The state `missing` is not cached, because a deletion must confirm it. */
export function describeOnce<T extends Pick<Source, "describe">>(source: T): T {
  const described = new Map<string, Promise<SourceState>>();
  return {
    ...source,
    describe: (which, budget) => {
      const key = keyOfSource(which);
      const known = described.get(key);
      if (known !== undefined) return known;
      const state = source.describe(which, budget);
      described.set(key, state);
      state.then(
        ({ kind }) => kind === "missing" && described.delete(key),
        () => described.delete(key),
      );
      return state;
    },
  } satisfies Pick<Source, "describe"> as T;
}
