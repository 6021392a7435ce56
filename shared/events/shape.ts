import { type Foreign, hasOwn } from "./own-property.ts";

/** What an object is, by the fields that mark each shape. */
export type Shape =
  | "records"
  | "sns-notification"
  | "failure-record"
  | "eventbridge-event"
  | "rotation-function-input"
  | "direct-call"
  | "ambiguous"
  | "unknown";

/**
 * Tells shapes apart by marks that no two of them share. An object with the marks of two is neither, with one
 * exception: whatever looks like the input of a rotation function is one, because that call must fail.
 */
export function shapeOf(input: Foreign): Shape {
  const isOfRotation = hasOwn(input, "SecretId") || hasOwn(input, "ClientRequestToken");
  if (hasOwn(input, "Step") && isOfRotation) return "rotation-function-input";
  const found = MARKS.filter(([, marks]) => marks.every((mark) => hasOwn(input, mark)));
  if (found.length > 1) return "ambiguous";
  return found[0]?.[0] ?? "unknown";
}

const MARKS: readonly (readonly [Shape, readonly string[]])[] = [
  ["records", ["Records"]],
  ["sns-notification", ["TopicArn", "Message"]],
  ["failure-record", ["requestContext", "requestPayload"]],
  ["eventbridge-event", ["detail-type"]],
  ["direct-call", ["secretId"]],
  ["direct-call", ["webhookId"]],
];
