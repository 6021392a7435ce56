import type { ParsedEvent } from "./parsed-event.ts";

/**
 * The event without its time where that lies in the future: nothing happens before it is reported. The rest of the
 * event is as good a reason to read the source as any, and a time is a hint like everything else in it. A time that is
 * too late would make every repeat of the event look newer than the Secret, so each would write again, and would be
 * measured as a propagation latency of 0 ms.
 */
export function withoutImpossibleTime(event: ParsedEvent, now: number): ParsedEvent {
  switch (event.kind) {
    case "change":
      return { ...event, change: withoutTimeAfter(now + CLOCKS_APART_MS_MAX, event.change) };
    case "signal":
      return withoutTimeAfter(now + CLOCKS_APART_MS_MAX, event);
    default:
      return event; // has no time
  }
}

function withoutTimeAfter<T extends { readonly occurredAt?: number }>(latest: number, timed: T): T {
  if (timed.occurredAt === undefined || timed.occurredAt <= latest) return timed;
  const { occurredAt: _, ...others } = timed;
  return others as T;
}

/**
 * Whoever sent the event has a clock of its own. AWS refuses a request that is signed more than five minutes off its own
 * clock, so a function or a caller whose clock is further off can call nothing.
 */
const CLOCKS_APART_MS_MAX = 300_000;
