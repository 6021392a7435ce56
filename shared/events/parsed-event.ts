import type { SecretReference } from "../secret-id/secret-id.ts";
import { type IgnoredCode, REJECTED_CODES, type RejectedCode, type RejectionEntry } from "./event-codes.ts";
import type { SecretChange } from "./secret-change.ts";

/** What one event comes to. */
export type ParsedEvent =
  | { readonly kind: "change"; readonly change: SecretChange }
  | WebhookCall
  | RotationSignal
  | IgnoredEvent
  | RejectedEvent;

/** Names sources by an id that bindings state, so that whoever calls need not know any secret's name. */
export type WebhookCall = { readonly kind: "webhook-call"; readonly webhookId: WebhookId };

/** What `webhookId` of a binding says; equal or not equal to another. */
export type WebhookId = string & { readonly __brand: "WebhookId" };

/** Nothing to write, but somebody must hear of it: it is logged, counted and alarmed. */
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

/** Says nothing of the input but the event's id: what was not understood may hold anything. */
export type RejectedEvent = {
  readonly kind: "rejected";
  readonly code: RejectedCode;
  readonly advice: string;
  /** The invocation (in a batch: the message) must fail; see the code's entry for why. */
  readonly mustFail: boolean;
  readonly eventId?: string;
};

export function ignored(code: IgnoredCode, eventId?: string): IgnoredEvent {
  return { kind: "ignored", code, ...given({ eventId }) };
}

export function rejected(code: RejectedCode, eventId?: string): RejectedEvent {
  const entry: RejectionEntry = REJECTED_CODES[code];
  return {
    kind: "rejected",
    code,
    advice: entry.advice,
    mustFail: entry.mustFail === true,
    ...given({ eventId }),
  };
}

/** The same fields without those that are undefined: an optional field is absent, never undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
