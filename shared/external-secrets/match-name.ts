import type { RE2JS } from "re2js";

/** One search by name: a regular expression of a `find`, and the name in which it may match. */
export type NameSearch = { readonly regexp: string; readonly name: string };

/** Whether the expression matches a part of the name, as in Go's RE2; undefined if that is not known. */
export type MatchName = (search: NameSearch) => boolean | undefined;

export type NameMatcher = {
  /** Decides the searches, within the time for all searches of an event. */
  decide(searches: Iterable<NameSearch>): Promise<void>;
  /** Of the decided searches. */
  readonly matches: MatchName;
};

/**
 * Authors of ExternalSecrets choose the expressions. RE2 takes linear time for each, and this limits the time for all of
 * them. What is not decided in time counts as a match: a needless refresh costs one call, a missed one an outage.
 *
 * RE2 is loaded with the first expression, because most installations have none. Other work of the invocation, such as
 * the writes of Secrets, gets its turn every few milliseconds.
 */
export function nameMatcher(msNow: () => number, yieldTurn: () => Promise<void>): NameMatcher {
  const decided = new Map<string, boolean | undefined>();
  let msLeft = MATCH_MS_MAX;
  return {
    matches: (search) => decided.get(keyOf(search)),
    decide: async (searches) => {
      let re2: typeof RE2JS | undefined;
      for (const search of searches) {
        if (msLeft <= 0) return;
        const key = keyOf(search);
        if (search.regexp.length > REGEXP_LENGTH_MAX || decided.has(key)) continue;
        re2 ??= (await import("re2js")).RE2JS;
        const startedAt = msNow();
        decided.set(key, isMatch(re2, search));
        msLeft -= msNow() - startedAt;
        await yieldTurn();
      }
    },
  };
}

function isMatch(re2: typeof RE2JS, { regexp, name }: NameSearch): boolean | undefined {
  try {
    const compiled = re2.compile(regexp);
    return compiled.programSize() > PROGRAM_SIZE_MAX ? undefined : compiled.test(name);
  } catch {
    return undefined; // ESO refuses it too, but a newer one may know it
  }
}

const keyOf = ({ regexp, name }: NameSearch): string => JSON.stringify([regexp, name]);

/** 2,000 usual expressions, for all clusters of an event. */
const MATCH_MS_MAX = 200;
/** Compiling the worst expression of this length takes 20 to 40 ms. */
const REGEXP_LENGTH_MAX = 1_000;
/** Instructions. The worst program of this size takes 30 ms for a name of 512 characters; a usual one has 50. */
const PROGRAM_SIZE_MAX = 1_000;
