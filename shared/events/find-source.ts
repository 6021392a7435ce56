import { type IdOrigin, parseSecretReference } from "../source/parse-secret-reference.ts";
import { referencesMayMatch } from "../source/references-may-match.ts";
import type { AwsLocation, SecretReference } from "../source/secret-id.ts";
import { type EnvelopeLocations, isOutside } from "./envelope-location.ts";
import type { RejectedCode } from "./event-codes.ts";
import { elementsOf, own } from "./own-property.ts";

/** A field of an event that may name the source; `text` is undefined or null when it does not. */
export type IdField = { readonly text: unknown; readonly origin: IdOrigin };

/**
 * The one source that all id fields of an event agree on, with its location, or the reason for rejecting the event. Pass
 * the fields in order of authority: full ARNs written by AWS first, then ids sent by the caller.
 *
 * The first ARN wins, otherwise the first name. If any two ids contradict each other, or an ARN contradicts the envelope,
 * the event is rejected.
 */
export function findSource(
  fields: readonly IdField[],
  eventLocation: AwsLocation | undefined,
  envelope: EnvelopeLocations,
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
  const { location = defaultLocation } = best;
  if (isOutside(location, envelope)) return "CONTRADICTING_LOCATION";
  const allAgree = references.every((a) =>
    references.every((b) => referencesMayMatch(a, b, defaultLocation)),
  );
  return allAgree ? { ...best, location } : "CONTRADICTING_IDS";
}

/** The ARNs of secrets among the resources of an event. CloudTrail may add those of other services. */
export function resourceIdFields(event: unknown): readonly IdField[] {
  return resourcesOf(event)
    .filter((resource) => typeof resource === "string" && SECRETS_MANAGER_ARN.test(resource))
    .map((text) => ({ text, origin: "full-arn" }));
}

/** The resources of a native event are the ARN of its source, or there are none. */
export function nativeResourceIdFields(event: unknown): readonly IdField[] {
  return resourcesOf(event).map((text) => ({ text: text ?? "", origin: "full-arn" }));
}

/** Resources that are not a list, or too many, count as one that is not valid. */
function resourcesOf(event: unknown): readonly unknown[] {
  const resources = own(event, "resources") ?? [];
  return elementsOf(resources, RESOURCES_MAX) ?? [null];
}

const SECRETS_MANAGER_ARN = /^arn:[^:]*:secretsmanager:/;
const RESOURCES_MAX = 100;
