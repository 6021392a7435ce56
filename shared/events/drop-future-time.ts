import type { ParsedEvent } from "./parsed-event.ts";

/**
 * Drops a time in the future and keeps the event, which is still a reason to read the source. A future time would make
 * every repeat of the event look newer than the Secret, so each repeat would write again and report a propagation
 * latency of 0 ms.
 */
export function dropFutureTime(event: ParsedEvent, now: number): ParsedEvent {
  switch (event.kind) {
    case "change":
      return { ...event, change: withoutTimeAfter(now + CLOCKS_APART_MS_MAX, event.change) };
    case "signal":
      return withoutTimeAfter(now + CLOCKS_APART_MS_MAX, event);
    default:
      return event;
  }
}

function withoutTimeAfter<T extends { readonly occurredAt?: number }>(latest: number, timed: T): T {
  if (timed.occurredAt === undefined || timed.occurredAt <= latest) return timed;
  const { occurredAt: _, ...others } = timed;
  return others as T;
}

/** AWS refuses a request signed by a clock that is more than five minutes off, so no working sender is further off. */
const CLOCKS_APART_MS_MAX = 300_000;
