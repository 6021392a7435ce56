import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Wait } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { ExternalSecretNotRefreshed, ExternalSecretSyncFailed } from "./errors.ts";
import { countNudges, type NudgeStamp, printNudge } from "./nudge.ts";
import type { Nudgeable } from "./objects.ts";
import { resultOfError, type TriggerResult } from "./outcome.ts";
import { type Before, isRefreshedAfter, isRefreshedSince } from "./refresh.ts";

export type FollowRequest = {
  /** The object as listed. */
  readonly object: Nudgeable;
  readonly name: string;
  readonly nudge: (value: string) => Promise<Nudgeable | undefined>;
  readonly read: () => Promise<Nudgeable | undefined>;
  readonly stamp: NudgeStamp;
  readonly deadlineMs: number;
  readonly budget: TimeBudget;
};

/**
 * Annotates one object and polls until ESO has refreshed it or the deadline has passed.
 *
 * After an error ESO backs off for up to seven minutes, but retries at once when the annotation changes. So after an
 * error the nudge is repeated after three seconds, and then each time after twice as long.
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
    // A duplicate invocation for this event nudged it moments ago, so it is not nudged again.
    const isFresh = madeBefore > 0 && now() - (object.nudgedAt ?? 0) < FRESH_MS;
    if (!isFresh) {
      count += 1;
      latest = await request.nudge(printNudge(stamp, count));
      if (latest === undefined) return { kind: "already" }; // it was deleted
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

/** An idle ESO needs about 50 ms for a refresh; 200 at once took 5 to 21 s. */
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 1_000;

/** ESO's first own pauses after errors are 1, 2 and 4 seconds. */
const RENUDGE_AFTER_MS = 3_000;

/** Another invocation for the same event may still be polling during this time. */
const FRESH_MS = 10_000;
