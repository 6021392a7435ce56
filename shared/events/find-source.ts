import { type IdOrigin, parseSecretReference } from "../source/parse-secret-reference.ts";
import { referencesMayMatch } from "../source/references-may-match.ts";
import type { AwsLocation, SecretReference } from "../source/secret-id.ts";
import type { RejectedCode } from "./event-codes.ts";
import { elementsOf, own } from "./own-property.ts";

/** A field of an event that may name the source; `text` is undefined or null when it does not. */
export type IdField = { readonly text: unknown; readonly origin: IdOrigin };

/**
 * The one source that all id fields of an event agree on, with its location, or the reason for rejecting the event. Pass
 * the fields in order of authority: full ARNs written by AWS first, then ids sent by the caller.
 *
 * The first ARN wins, otherwise the first name. If any two ids contradict each other, the event is rejected.
 */
export function findSource(
  fields: readonly IdField[],
  eventLocation: AwsLocation | undefined,
): SecretReference | RejectedCode {
  const references: SecretReference[] = [];
  for (const { text, origin } of fields) {
    if (text === undefined || text === null) continue;
    const reference = typeof text === "string" ? parseSecretReference(text, origin) : undefined;
    if (reference === undefined) return "MALFORMED_ID";
    references.push(reference);
  }

  const best = references.find((reference) => reference.location) ?? references[0];
  if (best === undefined) return "NO_ID";
  const defaultLocation = eventLocation ?? best.location;
  if (defaultLocation === undefined) return "UNKNOWN_HOME";
  const allAgree = references.every((a) =>
    references.every((b) => referencesMayMatch(a, b, defaultLocation)),
  );
  return allAgree ? { ...best, location: best.location ?? defaultLocation } : "CONTRADICTING_IDS";
}

/** The envelope's first resource if it is a secret. ARNs of other services are ignored. */
export function resourceIdField(event: unknown): IdField {
  const first = elementsOf(own(event, "resources"), RESOURCES_MAX)?.[0];
  const isSecret = typeof first === "string" && parseSecretReference(first, "full-arn") !== undefined;
  return { text: isSecret ? first : undefined, origin: "full-arn" };
}

const RESOURCES_MAX = 1_000;
