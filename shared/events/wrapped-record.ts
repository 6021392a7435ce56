import { hasOwn, own, ownString } from "./own-property.ts";
import { type RejectedEvent, rejected } from "./parsed-event.ts";

/** The content of an envelope, or the reason why it cannot be read. */
export type Wrapped = { readonly kind: "inside"; readonly inside: unknown } | RejectedEvent;

/** One record of SQS or SNS from Lambda. SNS capitalises its fields. */
export function unwrapRecord(record: unknown): Wrapped {
  if (isSqsRecord(record)) {
    return isOfQueue(record) ? unwrapText(own(record, "body")) : rejected("MALFORMED_RECORD");
  }
  const source = ownString(record, "EventSource") ?? ownString(record, "eventSource");
  if (source === "aws:sns") {
    const sns = own(record, "Sns");
    return isOfTopic(record, sns) ? unwrapText(own(sns, "Message")) : rejected("MALFORMED_RECORD");
  }
  return rejected(source === undefined ? "MALFORMED_RECORD" : "FOREIGN_SOURCE");
}

/** An element of a list: a record, the text of a message, or an event itself. */
export function unwrapElement(element: unknown): Wrapped {
  if (typeof element === "string") return unwrapText(element);
  const isRecord = hasOwn(element, "eventSource") || hasOwn(element, "EventSource");
  return isRecord ? unwrapRecord(element) : { kind: "inside", inside: element };
}

/** The queue may be in another account or Region than the event, but not elsewhere than its record says. */
function isOfQueue(record: unknown): boolean {
  const queueArn = own(record, "eventSourceARN");
  if (queueArn === undefined) return true;
  const [, region] = (typeof queueArn === "string" && SQS_ARN.exec(queueArn)) || [];
  return region !== undefined && (own(record, "awsRegion") ?? region) === region;
}

function isOfTopic(record: unknown, sns: unknown): boolean {
  const topicArn = own(sns, "TopicArn");
  if (topicArn === undefined) return true;
  if (typeof topicArn !== "string" || !SNS_ARN.test(topicArn)) return false;
  return (ownString(record, "EventSubscriptionArn") ?? `${topicArn}:`).startsWith(`${topicArn}:`);
}

const SQS_ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]{1,30}):[0-9]{12}:[A-Za-z0-9_.-]{1,80}$/;
const SNS_ARN = /^arn:aws[a-z-]*:sns:[a-z0-9-]{1,30}:[0-9]{12}:[A-Za-z0-9_.-]{1,256}$/;

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
