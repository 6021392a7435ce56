import { parseAwsLocation } from "../source/parse-aws-location.ts";
import type { AwsLocation } from "../source/secret-id.ts";
import { own, ownString } from "./own-property.ts";
import { withoutUndefined } from "./parsed-event.ts";

export type EventMetadata = { readonly occurredAt?: number; readonly eventId?: string };

export function eventMetadata(event: unknown): EventMetadata {
  // CloudTrail's own time is the time of the call; the envelope's time may be later.
  const time = ownString(own(event, "detail"), "eventTime") ?? ownString(event, "time");
  return withoutUndefined({ occurredAt: parseTime(time), eventId: eventIdOf(event) });
}

/** EventBridge's id of the event. It is logged, so it must look like an id. */
export function eventIdOf(event: unknown): string | undefined {
  const id = ownString(event, "id");
  return id !== undefined && /^[A-Za-z0-9-]{1,64}$/.test(id) ? id : undefined;
}

/** The account and Region of the event's bare names. Undefined when CloudTrail's detail and the envelope differ. */
export function eventLocation(event: unknown): AwsLocation | undefined {
  const detail = own(event, "detail");
  const accountId = sameOrOnly(ownString(detail, "recipientAccountId"), ownString(event, "account"));
  const region = sameOrOnly(ownString(detail, "awsRegion"), ownString(event, "region"));
  return accountId === undefined || region === undefined ? undefined : parseAwsLocation(accountId, region);
}

function sameOrOnly(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined || a === b ? (a ?? b) : undefined;
}

function parseTime(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
