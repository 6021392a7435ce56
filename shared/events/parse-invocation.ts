import { elementsOf, isForeign, own, ownString } from "./own-property.ts";
import { parseEvents, parseRecordEvents } from "./parse-events.ts";
import type { ParsedEvent } from "./parsed-event.ts";
import { shapeOf } from "./shape.ts";
import { isSqsRecord } from "./wrapped-record.ts";

/** What one invocation of the rotation function holds, by how it must be answered. */
export type Invocation =
  /** Succeeds or fails as a whole. Everything but SQS; one event, since SNS too delivers one at a time. */
  | { readonly kind: "events"; readonly events: readonly ParsedEvent[] }
  /** From SQS: each message succeeds or fails on its own, by a partial-batch response. */
  | { readonly kind: "batch"; readonly items: readonly BatchItem[] };

export type BatchItem = {
  /** Empty for a message made by hand without one; reporting it as failed fails the batch, which is right. */
  readonly messageId: string;
  /** One, unless the message holds a redriven list. */
  readonly events: readonly ParsedEvent[];
};

/**
 * Reads whatever the function was invoked with at `now`. Pure: it calls nothing, and it answers any input, however
 * broken, by a name from the registry of codes. What it takes is in events/, one sample of each.
 */
export function parseInvocation(input: unknown, now: number): Invocation {
  const isRecords = isForeign(input) && shapeOf(input) === "records";
  const records = (isRecords && elementsOf(own(input, "Records"), BATCH_RECORDS_MAX)) || [];
  if (!records.some(isSqsRecord)) return { kind: "events", events: parseEvents(input, now) };
  const items = records.map((record) => {
    return { messageId: ownString(record, "messageId") ?? "", events: parseRecordEvents(record, now) };
  });
  return { kind: "batch", items };
}

// The largest batch that an event source mapping can be set to collect.
const BATCH_RECORDS_MAX = 10_000;
