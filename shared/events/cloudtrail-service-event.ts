import { cloudTrailIdFields } from "./cloudtrail-id-fields.ts";
import { envelopeLocations } from "./envelope-location.ts";
import type { IgnoredCode } from "./event-codes.ts";
import { eventIdOf, eventLocation, eventMetadata } from "./event-metadata.ts";
import { findSource } from "./find-source.ts";
import { own, ownString } from "./own-property.ts";
import { ignored, type ParsedEvent, type RotationSignal, rejected } from "./parsed-event.ts";

/**
 * "AWS Service Event via CloudTrail": Secrets Manager acted by itself.
 *
 * Only the whole event name decides: RotationFailed has an errorMessage but no errorCode, and TestRotationSucceeded
 * does not rotate anything.
 */
export function parseCloudTrailServiceEvent(event: unknown): ParsedEvent {
  const eventId = eventIdOf(event);
  const eventName = ownString(own(event, "detail"), "eventName");
  if (eventName === undefined) return rejected("MALFORMED_EVENT", eventId);
  const uninteresting = UNINTERESTING_EVENTS.get(eventName);
  if (uninteresting !== undefined) return ignored(uninteresting, eventId);
  const signal = SIGNALS.get(eventName);
  if (signal === undefined && eventName !== "RotationSucceeded")
    return rejected("UNKNOWN_EVENT_NAME", eventId);

  const source = findSource(cloudTrailIdFields(event), eventLocation(event), envelopeLocations(event));
  if (typeof source === "string") return rejected(source, eventId);
  if (signal !== undefined) return { kind: "signal", signal, source, ...eventMetadata(event) };
  return { kind: "change", change: { source, reason: "rotation-succeeded", ...eventMetadata(event) } };
}

const SIGNALS = new Map<string, RotationSignal["signal"]>([
  ["RotationFailed", "rotation-failed"],
  ["RotationAbandoned", "rotation-abandoned"],
]);

const UNINTERESTING_EVENTS = new Map<string, IgnoredCode>([
  ["RotationStarted", "ROTATION_ONLY_STARTED"],
  ["TestRotationStarted", "TEST_ROTATION"],
  ["TestRotationSucceeded", "TEST_ROTATION"],
  ["TestRotationFailed", "TEST_ROTATION"],
  ["ReplicationStarted", "REPLICATION"],
  ["ReplicationSucceeded", "REPLICATION"],
  ["ReplicationFailed", "REPLICATION"],
  ["StartSecretVersionDelete", "VERSION_DELETION"],
  ["CancelSecretVersionDelete", "VERSION_DELETION"],
  ["EndSecretVersionDelete", "VERSION_DELETION"],
  ["SecretVersionDeletion", "VERSION_DELETION"],
]);
