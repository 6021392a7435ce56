import { parseSecretHome } from "../secret-id/parse-secret-home.ts";
import type { SecretHome } from "../secret-id/secret-id.ts";
import { own, ownString } from "./own-property.ts";
import { given } from "./parsed-event.ts";

/** Which event it is and when it happened, as far as it says so. */
export type EventStamp = { readonly occurredAt?: number; readonly eventId?: string };

export function eventStamp(event: unknown): EventStamp {
  // CloudTrail's own time is the call's; the envelope's is at best the same.
  const time = ownString(own(event, "detail"), "eventTime") ?? ownString(event, "time");
  return given({ occurredAt: parseTime(time), eventId: eventIdOf(event) });
}

/** EventBridge's id of the event, when it can be one: it goes into logs. */
export function eventIdOf(event: unknown): string | undefined {
  const id = ownString(event, "id");
  return id !== undefined && /^[A-Za-z0-9-]{1,64}$/.test(id) ? id : undefined;
}

/**
 * The account and Region in which the event's bare names live. CloudTrail repeats in its detail what the envelope
 * says; when the two differ, the event does not know its home.
 */
export function eventHome(event: unknown): SecretHome | undefined {
  const detail = own(event, "detail");
  const accountId = agreed(ownString(detail, "recipientAccountId"), ownString(event, "account"));
  const region = agreed(ownString(detail, "awsRegion"), ownString(event, "region"));
  return accountId === undefined || region === undefined ? undefined : parseSecretHome(accountId, region);
}

function agreed(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined || a === b ? (a ?? b) : undefined;
}

function parseTime(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
