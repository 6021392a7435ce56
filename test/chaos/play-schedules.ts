import { SCOPES } from "./model/scopes.ts";
import type { Protocol, Scope } from "./model/state.ts";
import { playOnTheCode, type Stage } from "./play-on-the-code.ts";
import { Random } from "./random.ts";

export type ScopeName = keyof typeof SCOPES;

export const SCOPE_NAMES = Object.keys(SCOPES) as ScopeName[];

/** The step names for each kind of trouble in a scope's budget. */
export const SHOWS: Readonly<Record<string, string>> = {
  crashes: "is killed, and invoked again",
  orphans: "orphaned apply arrives",
  lostAnswers: "gets no response",
  staleReads: "stale: ",
  foreign: "creates a Secret with that name",
  deletions: "deletes the Secret",
  minutes: "a minute passes",
};

/** With the limits of the code, larger than those of the exhaustive walk. */
const LIMITS = { conflictsMax: 7, confirmationsMax: 3, rereadsMax: 3 } as const;

/** Replays the schedules in the half-open range [first, second). Returns the steps taken. */
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
