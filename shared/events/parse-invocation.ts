import { formatOf } from "./input-format.ts";
import { elementsOf, isForeign, own, ownString } from "./own-property.ts";
import { parseElementEvents, parseEvents, parseRecordEvents } from "./parse-events.ts";
import type { ParsedEvent } from "./parsed-event.ts";
import { isSqsRecord } from "./wrapped-record.ts";

/** The events of one invocation of the rotation function, by how it must be answered. */
export type Invocation =
  /** Succeeds or fails as a whole. Everything except SQS; usually one event, since SNS also delivers one at a time. */
  | { readonly kind: "events"; readonly events: readonly ParsedEvent[] }
  /** From SQS, directly or by a pipe: each message succeeds or fails separately, in a partial-batch response. */
  | { readonly kind: "batch"; readonly items: readonly BatchItem[] };

export type BatchItem = {
  /** Empty for a handmade message without an id; reporting an empty id as failed fails the whole batch. */
  readonly messageId: string;
  /** One, unless the message is a redriven list. */
  readonly events: readonly ParsedEvent[];
};

/** Pure. Invalid input gives a rejected event with a code. events/ has a sample of each accepted format. */
export function parseInvocation(input: unknown, now: number): Invocation {
  const isRecords = isForeign(input) && formatOf(input) === "records";
  const list = isRecords ? own(input, "Records") : input;
  const records = elementsOf(list, BATCH_RECORDS_MAX) ?? [];
  const parseOne = isRecords ? parseRecordEvents : parseElementEvents;
  if (records.some(isSqsRecord)) {
    const items = records.map((record) => {
      return { messageId: ownString(record, "messageId") ?? "", events: parseOne(record, now) };
    });
    return { kind: "batch", items };
  }
  const isPiped = !isRecords && records.length > 0;
  return {
    kind: "events",
    events: isPiped ? records.flatMap((each) => parseOne(each, now)) : parseEvents(input, now),
  };
}

// The largest batch that an event source mapping or a pipe can be set to collect.
const BATCH_RECORDS_MAX = 10_000;
