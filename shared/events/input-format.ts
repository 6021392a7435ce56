import { type Foreign, hasOwn } from "./own-property.ts";

export type InputFormat =
  | "records"
  | "sns-notification"
  | "failure-record"
  | "eventbridge-event"
  | "rotation-function-input"
  | "direct-call"
  | "ambiguous"
  | "unknown";

/**
 * Each format has required fields that no other format has; an object with those of two formats is ambiguous. One
 * exception: an object that looks like the input of a rotation function always is one, because that call must fail.
 */
export function formatOf(input: Foreign): InputFormat {
  const isOfRotation = hasOwn(input, "SecretId") || hasOwn(input, "ClientRequestToken");
  if (hasOwn(input, "Step") && isOfRotation) return "rotation-function-input";
  const found = REQUIRED_FIELDS.filter(([, fields]) => fields.every((field) => hasOwn(input, field)));
  if (found.length > 1) return "ambiguous";
  return found[0]?.[0] ?? "unknown";
}

const REQUIRED_FIELDS: readonly (readonly [InputFormat, readonly string[]])[] = [
  ["records", ["Records"]],
  ["sns-notification", ["TopicArn", "Message"]],
  ["failure-record", ["requestContext", "requestPayload"]],
  ["eventbridge-event", ["detail-type"]],
  ["direct-call", ["secretId"]],
  ["direct-call", ["webhookId"]],
];
