import type { Live, Observed, Scope, State } from "./state.ts";

/** What must never happen, in any state; docs/internals/fence-model.md gives the reason for each. */
export type Violation =
  | "an older value landed after a newer one"
  | "a Secret was written that had not been read"
  | "a deleted Secret came back by an update"
  | "another owner's Secret was overwritten or deleted"
  | "the deleted Secret is not the one that was read"
  | "older rules landed after newer ones"
  | "a Secret was deleted that the bindings in force bind"
  | "in the end the Secret does not follow the bindings in force"
  | "in the end the Secret does not hold AWSCURRENT";

/** Checks a write that the API server has accepted. */
export function landed(
  { versions }: Scope,
  { current, live }: State,
  { seen, version }: { seen: Observed; version: string },
): { readonly reached: number; readonly violation?: Violation } {
  const from = live?.reached ?? 0;
  // The first move that names this version, from the move that the Secret has reached to the current one.
  const reached = [...versions].findIndex((named, at) => at >= from && at <= current && named === version);
  if (seen.kind === "live" && live === null) {
    return { reached: Math.max(0, reached), violation: "a deleted Secret came back by an update" };
  }
  if (seen.kind === "absent" && live !== null) {
    return {
      reached: Math.max(from, reached),
      violation: "a Secret was written that had not been read",
    };
  }
  if (live?.version === FOREIGN) {
    return { reached: from, violation: "another owner's Secret was overwritten or deleted" };
  }
  if (reached < 0) return { reached: from, violation: "an older value landed after a newer one" };
  return { reached };
}

/** The generation that a write has reached, by the same reasoning as for versions. */
export function rulesLanded(
  scope: Scope,
  { rules, live }: State,
  letter: string,
): { readonly rulesReached: number; readonly violation?: Violation } {
  const from = live?.rulesReached ?? 0;
  const found = [...generationsOf(scope)].findIndex(
    (named, at) => at >= from && at <= rules && named === letter,
  );
  return found < 0
    ? { rulesReached: from, violation: "older rules landed after newer ones" }
    : { rulesReached: found };
}

export const generationsOf = ({ generations = "p" }: Scope): string => generations;

/** The sweep deletes a Secret that had no binding at some moment since it looked. */
export function orphanDeleted(scope: Scope, { rules }: State, looked: number): Violation | undefined {
  const isBound = [...generationsOf(scope).slice(looked, rules + 1)].every((letter) => letter !== "-");
  return isBound ? "a Secret was deleted that the bindings in force bind" : undefined;
}

/** Checks a deletion that the API server has accepted. */
export function deleted(live: Live, seen: Observed): Violation | undefined {
  if (live.version === FOREIGN) return "another owner's Secret was overwritten or deleted";
  const isTheOne = seen.kind === "live" && seen.since === "same";
  return isTheOne ? undefined : "the deleted Secret is not the one that was read";
}

/** The version of a Secret that another owner created. */
export const FOREIGN = "foreign";

const ENDS: ReadonlySet<string> = new Set(["done", "refused", "failed", "unbound"]);

/**
 * Checks a state with no steps left: a successful invocation for the last move, whose own last read was not stale,
 * leaves AWSCURRENT behind, unless the Secret is gone or belongs to another owner.
 */
export function judgeEnd(scope: Scope, state: State): Violation | undefined {
  const { versions, invocations: invoked } = scope;
  const { current, live, invocations } = state;
  const last = versions.length - 1;
  const generations = generationsOf(scope);
  const lastRules = generations.length - 1;
  const isOver = invocations.every(({ step, orphan }) => ENDS.has(step) && orphan === null);
  if (!isOver || current < last || state.rules < lastRules) return undefined;
  const isFollowed = invocations.some(({ step, known }) => step === "done" && known === lastRules);
  const follows = live === null || live.version === FOREIGN || live.rules === generations[lastRules];
  if (isFollowed && !follows) return "in the end the Secret does not follow the bindings in force";
  const isPromised = invocations.some(
    ({ step, wasStale, known }, index) =>
      step === "done" && !wasStale && known === lastRules && invoked[index]?.for === last,
  );
  const isRight = live === null || live.version === FOREIGN || live.version === versions[last];
  return isPromised && !isRight ? "in the end the Secret does not hold AWSCURRENT" : undefined;
}
