import { type IdOrigin, parseSecretReference } from "../secret-id/parse-secret-reference.ts";
import { referencesMayMatch } from "../secret-id/references-may-match.ts";
import type { SecretHome, SecretReference } from "../secret-id/secret-id.ts";
import type { RejectedCode } from "./event-codes.ts";
import { elementsOf, own } from "./own-property.ts";

/** One place of an event that may name the source. Absent and null mean that it does not. */
export type IdPlace = { readonly text: unknown; readonly origin: IdOrigin };

/**
 * The one source that all places of an event agree on, with a home, or why there is none. The places come in order
 * of authority: full ARNs that AWS wrote, then what a caller sent.
 *
 * The first ARN is the answer, and without any the first name, but only among ids that may be the same source: when
 * two contradict each other the event is not believed at all.
 */
export function findSource(
  places: readonly IdPlace[],
  home: SecretHome | undefined,
): SecretReference | RejectedCode {
  const seen: SecretReference[] = [];
  for (const { text, origin } of places) {
    if (text === undefined || text === null) continue;
    const reference = typeof text === "string" ? parseSecretReference(text, origin) : undefined;
    if (reference === undefined) return "MALFORMED_ID";
    seen.push(reference);
  }

  const best = seen.find((one) => one.home) ?? seen[0];
  if (best === undefined) return "NO_ID";
  const nameHome = home ?? best.home;
  if (nameHome === undefined) return "UNKNOWN_HOME";
  const allAgree = seen.every((a) => seen.every((b) => referencesMayMatch(a, b, nameHome)));
  if (!allAgree) return "CONTRADICTING_IDS";
  return best.home === undefined ? { ...best, home: nameHome } : best;
}

/** The envelope's first resource, when it is a secret. Other services' ARNs there name no source and are passed over. */
export function resourcePlace(event: unknown): IdPlace {
  const first = elementsOf(own(event, "resources"), RESOURCES_MAX)?.[0];
  const isSecret = typeof first === "string" && parseSecretReference(first, "full-arn") !== undefined;
  return { text: isSecret ? first : undefined, origin: "full-arn" };
}

const RESOURCES_MAX = 1_000;
