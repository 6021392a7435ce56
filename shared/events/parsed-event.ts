import type { SecretReference } from "../source/secret-id.ts";
import { type IgnoredCode, REJECTED_CODES, type RejectedCode, type RejectionEntry } from "./event-codes.ts";
import type { SecretChange } from "./secret-change.ts";

export type ParsedEvent =
  | { readonly kind: "change"; readonly change: SecretChange }
  | WebhookCall
  | RotationSignal
  | IgnoredEvent
  | RejectedEvent;

/** Names sources by the webhookId of their bindings, so the caller need not know the name of a secret. */
export type WebhookCall = { readonly kind: "webhook-call"; readonly webhookId: WebhookId };

/** The `webhookId` of a binding. */
export type WebhookId = string & { readonly __brand: "WebhookId" };

/** Nothing to write, but it is logged, counted and raises an alarm. */
export type RotationSignal = {
  readonly kind: "signal";
  readonly signal: "rotation-failed" | "rotation-abandoned";
  readonly source: SecretReference;
  readonly occurredAt?: number;
  readonly eventId?: string;
};

export type IgnoredEvent = {
  readonly kind: "ignored";
  readonly code: IgnoredCode;
  readonly eventId?: string;
};

/** Repeats nothing of the input except the event's id, because the input may hold a secret. */
export type RejectedEvent = {
  readonly kind: "rejected";
  readonly code: RejectedCode;
  readonly advice: string;
  /** The invocation (in a batch: the message) must fail. */
  readonly mustFail: boolean;
  readonly eventId?: string;
};

export function ignored(code: IgnoredCode, eventId?: string): IgnoredEvent {
  return { kind: "ignored", code, ...withoutUndefined({ eventId }) };
}

export function rejected(code: RejectedCode, eventId?: string): RejectedEvent {
  const entry: RejectionEntry = REJECTED_CODES[code];
  return {
    kind: "rejected",
    code,
    advice: entry.advice,
    mustFail: entry.mustFail === true,
    ...withoutUndefined({ eventId }),
  };
}

/** Drops undefined fields, because optional fields are absent and never undefined. */
export function withoutUndefined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
