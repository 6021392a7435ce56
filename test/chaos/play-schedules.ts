import { SCOPES } from "../../chaos/model/scopes.ts";
import type { Protocol, Scope } from "../../chaos/model/state.ts";
import { Random } from "../../chaos/random.ts";
import { playOnTheCode, type Stage } from "./play-on-the-code.ts";

export type ScopeName = keyof typeof SCOPES;

export const SCOPE_NAMES = Object.keys(SCOPES) as ScopeName[];

/** What each kind of trouble in a scope's budget is called in a schedule. */
export const SHOWS: Readonly<Record<string, string>> = {
  crashes: "is killed, and invoked again",
  orphans: "orphaned apply arrives",
  lostAnswers: "hears nothing",
  staleReads: "stale: ",
  foreign: "makes a Secret of that name",
  deletions: "deletes the Secret",
  minutes: "a minute passes",
};

/** As the code has them, and not as small as the exhaustive walk needs them. */
const LIMITS = { conflictsMax: 7, confirmationsMax: 3, rereadsMax: 3 } as const;

/** Plays the schedules from the first number up to, and without, the second. Answers the steps that were taken. */
export async function playSchedules(
  name: ScopeName,
  [from, to]: readonly [number, number],
  stage: Stage,
  protocol?: Protocol,
): Promise<string[]> {
  const scope: Scope = { ...SCOPES[name], ...LIMITS };
  const taken = new Set<string>();
  for (let schedule = from; schedule < to; schedule += 1) {
    const trace = await playOnTheCode(
      { scope, ...(protocol && { protocol }) },
      new Random(schedule, name),
      stage,
    );
    for (const step of trace) taken.add(step.slice(2));
  }
  return [...taken];
}
