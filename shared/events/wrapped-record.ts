import { own, ownString } from "./own-property.ts";
import { type RejectedEvent, rejected } from "./parsed-event.ts";

/** The content of an envelope, or the reason why it cannot be read. */
export type Wrapped = { readonly kind: "inside"; readonly inside: unknown } | RejectedEvent;

/** One record of SQS or SNS from Lambda. SNS capitalises its fields. */
export function unwrapRecord(record: unknown): Wrapped {
  if (isSqsRecord(record)) return unwrapText(own(record, "body"));
  const source = ownString(record, "EventSource") ?? ownString(record, "eventSource");
  if (source === "aws:sns") return unwrapText(own(own(record, "Sns"), "Message"));
  return rejected(source === undefined ? "MALFORMED_RECORD" : "FOREIGN_SOURCE");
}

export function isSqsRecord(record: unknown): boolean {
  return ownString(record, "eventSource") === "aws:sqs";
}

/** The body of a message: an event or another envelope, as JSON. */
export function unwrapText(text: unknown): Wrapped {
  if (typeof text !== "string") return rejected("MALFORMED_RECORD");
  if (text.length > TEXT_CHARACTERS_MAX) return rejected("TOO_LARGE");
  try {
    return { kind: "inside", inside: JSON.parse(text) };
  } catch {
    return rejected("BODY_NOT_JSON"); // the SyntaxError quotes the text, so it stays here
  }
}

// SQS and EventBridge carry at most 1 MiB, SNS less.
const TEXT_CHARACTERS_MAX = 1_048_576;
