import { parseVersionId } from "../source/parse-version-id.ts";
import type { VersionId } from "../source/secret-id.ts";
import { cloudTrailIdFields } from "./cloudtrail-id-fields.ts";
import { envelopeLocations } from "./envelope-location.ts";
import type { IgnoredCode } from "./event-codes.ts";
import { eventIdOf, eventLocation, eventMetadata } from "./event-metadata.ts";
import { findSource } from "./find-source.ts";
import { otherLabels } from "./other-labels.ts";
import { elementsOf, hasOwn, own, ownString } from "./own-property.ts";
import { ignored, type ParsedEvent, rejected, withoutUndefined } from "./parsed-event.ts";
import type { SecretChange } from "./secret-change.ts";

/** "AWS API Call via CloudTrail": a call to Secrets Manager. */
export function parseCloudTrailCall(event: unknown): ParsedEvent {
  const eventId = eventIdOf(event);
  const detail = own(event, "detail");
  const eventName = ownString(detail, "eventName");
  if (eventName === undefined) return rejected("MALFORMED_EVENT", eventId);

  const uninteresting = UNINTERESTING_CALLS.get(eventName);
  if (uninteresting !== undefined) return ignored(uninteresting, eventId);
  const reason = CHANGING_CALLS.get(eventName);
  if (reason === undefined) {
    const onlyReads = own(detail, "readOnly") === true; // a call newer than the list below
    return onlyReads ? ignored("READ_ONLY_CALL", eventId) : rejected("UNKNOWN_EVENT_NAME", eventId);
  }
  // Only errorCode marks a failure: a call that succeeded may have responseElements null.
  if ((own(detail, "errorCode") ?? null) !== null) return ignored("FAILED_CALL", eventId);
  const request = own(detail, "requestParameters");
  const labels = labelsMoved(reason, request);
  if (labels === "none") return ignored("OTHER_LABEL", eventId);

  const source = findSource(cloudTrailIdFields(event), eventLocation(event), envelopeLocations(event));
  if (typeof source === "string") return rejected(source, eventId);
  const versionId = versionWritten(reason, request);
  return {
    kind: "change",
    change: { source, reason, ...withoutUndefined({ labels, versionId }), ...eventMetadata(event) },
  };
}

const CHANGING_CALLS = new Map<string, SecretChange["reason"]>([
  ["PutSecretValue", "put-secret-value"],
  ["UpdateSecret", "update-secret"],
  ["UpdateSecretVersionStage", "update-secret-version-stage"],
  ["CreateSecret", "create-secret"],
  ["RestoreSecret", "restore-secret"],
  ["DeleteSecret", "delete-secret"],
]);

const UNINTERESTING_CALLS = new Map<string, IgnoredCode>([
  ["BatchGetSecretValue", "READ_ONLY_CALL"],
  ["DescribeSecret", "READ_ONLY_CALL"],
  ["GetRandomPassword", "READ_ONLY_CALL"],
  ["GetResourcePolicy", "READ_ONLY_CALL"],
  ["GetSecretValue", "READ_ONLY_CALL"],
  ["ListSecretVersionIds", "READ_ONLY_CALL"],
  ["ListSecrets", "READ_ONLY_CALL"],
  ["ValidateResourcePolicy", "READ_ONLY_CALL"],
  ["CancelRotateSecret", "METADATA_ONLY_CALL"],
  ["DeleteResourcePolicy", "METADATA_ONLY_CALL"],
  ["PutResourcePolicy", "METADATA_ONLY_CALL"],
  ["RemoveRegionsFromReplication", "METADATA_ONLY_CALL"],
  ["ReplicateSecretToRegions", "METADATA_ONLY_CALL"],
  ["StopReplicationToReplica", "METADATA_ONLY_CALL"],
  ["TagResource", "METADATA_ONLY_CALL"],
  ["UntagResource", "METADATA_ONLY_CALL"],
  ["RotateSecret", "ROTATION_ONLY_STARTED"],
]);

// A rotation puts its new value under AWSPENDING and moves AWSCURRENT later. A request without a label counts as a
// change, because a needless read is cheap.
function labelsMoved(reason: SecretChange["reason"], request: unknown): ReturnType<typeof otherLabels> {
  if (reason === "put-secret-value") {
    const labels = elementsOf(own(request, "versionStages"), LABELS_MAX) ?? [];
    const named = labels.filter((label) => typeof label === "string");
    return labels.length > 0 ? otherLabels(named) : undefined;
  }
  const label = reason === "update-secret-version-stage" ? ownString(request, "versionStage") : undefined;
  return label === undefined ? undefined : otherLabels([label]);
}

// Secrets Manager keeps at most 20 labels on a version.
const LABELS_MAX = 20;

// The token of a call that writes a value becomes its VersionId. SDKs also send a token with an UpdateSecret that changes
// only the description or the key. That token never becomes a version, so the relay must not wait for it.
function versionWritten(reason: SecretChange["reason"], request: unknown): VersionId | undefined {
  switch (reason) {
    case "put-secret-value":
    case "create-secret":
      return parseVersionId(own(request, "clientRequestToken"));
    case "update-secret": {
      const maySkipTheValue = hasOwn(request, "description") || hasOwn(request, "kmsKeyId");
      return maySkipTheValue ? undefined : parseVersionId(own(request, "clientRequestToken"));
    }
    case "update-secret-version-stage":
      return parseVersionId(own(request, "moveToVersionId"));
    default:
      return undefined;
  }
}
