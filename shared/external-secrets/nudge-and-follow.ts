import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Wait } from "../retry/retry.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { ExternalSecretNotRefreshed, ExternalSecretSyncFailed } from "./errors.ts";
import { countNudges, type NudgeStamp, printNudge } from "./nudge.ts";
import type { Nudgeable } from "./objects.ts";
import { resultOfError, type TriggerResult } from "./outcome.ts";
import { type Before, isRefreshedAfter, isRefreshedSince } from "./refresh.ts";

export type FollowRequest = {
  /** As it was listed. */
  readonly object: Nudgeable;
  readonly name: string;
  readonly nudge: (value: string) => Promise<Nudgeable | undefined>;
  readonly read: () => Promise<Nudgeable | undefined>;
  readonly stamp: NudgeStamp;
  readonly deadlineMs: number;
  readonly budget: TimeBudget;
};

/**
 * Annotates one object and watches until ESO has refreshed it, or the deadline has passed.
 *
 * Where ESO reports an error meanwhile, it waits longer and longer by itself, up to seven minutes; a new value of the
 * annotation calls it at once. So the nudge is repeated then, after three seconds and again after twice as long.
 */
export async function nudgeAndFollow(
  { now, wait }: { readonly now: () => number; readonly wait: Wait },
  request: FollowRequest,
): Promise<TriggerResult> {
  const { object, stamp, budget, name, deadlineMs } = request;
  const madeBefore = countNudges(object.nudge, stamp);
  if (madeBefore > 0 && isRefreshedAfter(object)) return { kind: "already" };
  const startedAt = now();
  const endsAt = startedAt + Math.min(deadlineMs, budget.remainingMs());
  let count = madeBefore;
  let latest: Nudgeable | undefined = object;
  try {
    // Somebody has nudged it for this event a moment ago: an invocation that came twice, or its twin. Once will do.
    const isFresh = madeBefore > 0 && now() - (object.nudgedAt ?? 0) < FRESH_MS;
    if (!isFresh) {
      count += 1;
      latest = await request.nudge(printNudge(stamp, count));
      if (latest === undefined) return { kind: "already" }; // deleted meanwhile: nothing is left to refresh
    }
    const before: Before = { listed: object.status, atNudge: latest.status, nudgedAt: latest.nudgedAt };
    let renudgeAt = startedAt + RENUDGE_AFTER_MS;
    for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, PAUSE_MS_MAX)) {
      const isDone = isFresh ? isRefreshedAfter(latest) : isRefreshedSince(latest, before);
      if (isDone) return { kind: "refreshed", ms: now() - startedAt, nudges: count - madeBefore };
      const leftMs = endsAt - now();
      if (leftMs <= 0 || budget.signal.aborted) break;
      await wait(Math.min(pauseMs, leftMs), budget.signal);
      latest = await request.read();
      if (latest === undefined) return { kind: "already" };
      if (latest.status.isReady === false && now() >= renudgeAt && now() < endsAt) {
        count += 1;
        await request.nudge(printNudge(stamp, count));
        renudgeAt = now() + RENUDGE_AFTER_MS * 2 ** (count - madeBefore - 1);
      }
    }
  } catch (error) {
    const ours = error instanceof RelayError ? error : UnexpectedFault.from(error);
    return resultOfError(ours, count - madeBefore);
  }
  const { isReady, reason = "no reason given" } = latest.status;
  const nudges = count - madeBefore;
  if (isReady === false) {
    return { ...resultOfError(new ExternalSecretSyncFailed(name, reason), nudges), reason } as TriggerResult;
  }
  return resultOfError(new ExternalSecretNotRefreshed(name, Math.round(deadlineMs / 1_000)), nudges);
}

/** ESO needs some 50 ms for a refresh when it is idle; 200 at once took it 5 to 21 s. */
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 1_000;

/** ESO's own first pauses after errors are 1, 2 and 4 seconds. */
const RENUDGE_AFTER_MS = 3_000;

/** As long as another invocation for the same event may still be watching. */
const FRESH_MS = 10_000;
