import type { Live, Scope, Seen, State } from "./state.ts";

/** What must never happen, in any state; docs/fence-model.md gives each its reason. */
export type Violation =
  | "an older value landed after a newer one"
  | "a Secret was written that had not been looked at"
  | "a deleted Secret came back by an update"
  | "somebody else's Secret was written over, or deleted"
  | "a Secret was deleted that is not the one that was looked at"
  | "in the end the Secret does not hold AWSCURRENT";

/** Judges a write that the API server has accepted. */
export function landed(
  { versions }: Scope,
  { current, live }: State,
  { seen, version }: { seen: Seen; version: string },
): { readonly reached: number; readonly violation?: Violation } {
  const from = live?.reached ?? 0;
  // The first move that names this version, from the one that the Secret has reached to the one that is current.
  const reached = [...versions].findIndex((named, at) => at >= from && at <= current && named === version);
  if (seen.kind === "live" && live === null) {
    return { reached: Math.max(0, reached), violation: "a deleted Secret came back by an update" };
  }
  if (seen.kind === "absent" && live !== null) {
    return {
      reached: Math.max(from, reached),
      violation: "a Secret was written that had not been looked at",
    };
  }
  if (live?.version === FOREIGN) {
    return { reached: from, violation: "somebody else's Secret was written over, or deleted" };
  }
  if (reached < 0) return { reached: from, violation: "an older value landed after a newer one" };
  return { reached };
}

/** Judges a deletion that the API server has accepted. */
export function deleted(live: Live, seen: Seen): Violation | undefined {
  if (live.version === FOREIGN) return "somebody else's Secret was written over, or deleted";
  const isTheOne = seen.kind === "live" && seen.since === "same";
  return isTheOne ? undefined : "a Secret was deleted that is not the one that was looked at";
}

/** The version of a Secret that somebody else made. */
export const FOREIGN = "foreign";

const ENDS: ReadonlySet<string> = new Set(["done", "refused", "failed"]);

/**
 * Judges a state in which nothing is left to do: an invocation for the last move that succeeded, and whose own last
 * read was not stale, leaves AWSCURRENT behind, unless the Secret is gone or somebody else's.
 */
export function judgeEnd({ versions, invocations: invoked }: Scope, state: State): Violation | undefined {
  const { current, live, invocations } = state;
  const last = versions.length - 1;
  const isOver = invocations.every(({ step, orphan }) => ENDS.has(step) && orphan === null);
  if (!isOver || current < last) return undefined;
  const isPromised = invocations.some(
    ({ step, wasStale }, index) => step === "done" && !wasStale && invoked[index]?.for === last,
  );
  const isRight = live === null || live.version === FOREIGN || live.version === versions[last];
  return isPromised && !isRight ? "in the end the Secret does not hold AWSCURRENT" : undefined;
}
