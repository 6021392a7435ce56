import { parseDirectCall } from "./direct-call.ts";
import { dropFutureTime } from "./drop-future-time.ts";
import { parseEventBridgeEvent } from "./eventbridge-event.ts";
import { formatOf } from "./input-format.ts";
import { elementsOf, isForeign, isList, own } from "./own-property.ts";
import { type ParsedEvent, rejected } from "./parsed-event.ts";
import { unwrapElement, unwrapRecord, unwrapText, type Wrapped } from "./wrapped-record.ts";

/**
 * Returns every event in the input, at least one, from any nesting of envelopes: SNS notifications, records of SQS and
 * SNS, lists of EventBridge Pipes, and the records that Lambda sends to a failure queue. `now` is the time of arrival.
 */
export function parseEvents(input: unknown, now: number): readonly ParsedEvent[] {
  return parseWrapped([{ kind: "inside", inside: input }], 0, now);
}

/** The same for one record of SQS or SNS. */
export function parseRecordEvents(record: unknown, now: number): readonly ParsedEvent[] {
  return parseWrapped([unwrapRecord(record)], 1, now);
}

/** The same for one element of a list that EventBridge Pipes delivers. */
export function parseElementEvents(element: unknown, now: number): readonly ParsedEvent[] {
  return parseWrapped([unwrapElement(element)], 1, now);
}

// The longest legitimate nesting is four: a failure record of an SNS delivery, sent by SNS to SQS.
const DEPTH_MAX = 8;
// SNS puts one record into an invocation. Lists can nest, so this limits the total.
const EVENTS_MAX = 100;

function parseWrapped(wrapped: readonly Wrapped[], depth: number, now: number): readonly ParsedEvent[] {
  const found: ParsedEvent[] = [];
  collect(wrapped, depth, found);
  if (found.length > EVENTS_MAX) return [rejected("TOO_MANY_RECORDS")];
  return found.map((event) => dropFutureTime(event, now));
}

function collect(wrapped: readonly Wrapped[], depth: number, found: ParsedEvent[]): void {
  for (const one of wrapped) {
    if (found.length > EVENTS_MAX) return; // before looking deeper: nested lists multiply
    const inner = one.kind === "inside" ? unwrap(one.inside) : undefined;
    if (one.kind === "rejected") found.push(one);
    else if (inner === undefined) found.push(parseBare(one.inside));
    else if (depth >= DEPTH_MAX) found.push(rejected("TOO_DEEP"));
    else collect(inner, depth + 1, found);
  }
}

function unwrap(input: unknown): readonly Wrapped[] | undefined {
  if (isList(input)) return unwrapList(input, unwrapElement);
  if (!isForeign(input)) return undefined;
  switch (formatOf(input)) {
    case "records":
      return unwrapList(own(input, "Records"), unwrapRecord);
    case "sns-notification":
      return [unwrapText(own(input, "Message"))];
    case "failure-record":
      return [{ kind: "inside", inside: own(input, "requestPayload") }];
    default:
      return undefined;
  }
}

function unwrapList(list: unknown, unwrapOne: (element: unknown) => Wrapped): readonly Wrapped[] {
  const elements = elementsOf(list, EVENTS_MAX);
  if (elements === undefined) return [rejected(isList(list) ? "TOO_MANY_RECORDS" : "NO_RECORDS")];
  return elements.length === 0 ? [rejected("NO_RECORDS")] : elements.map(unwrapOne);
}

function parseBare(input: unknown): ParsedEvent {
  if (!isForeign(input)) return rejected("NOT_AN_OBJECT");
  switch (formatOf(input)) {
    case "eventbridge-event":
      return parseEventBridgeEvent(input);
    case "rotation-function-input":
      return rejected("ROTATION_FUNCTION_INPUT");
    case "direct-call":
      return parseDirectCall(input);
    case "ambiguous":
      return rejected("AMBIGUOUS_SHAPE");
    default:
      return rejected("UNKNOWN_SHAPE");
  }
}
