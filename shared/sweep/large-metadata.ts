import type { RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";

/**
 * Whether a sweep leaves a Secret out of what it keeps of a list, and reads it by name when its turn comes. Any client
 * with permission to write Secrets chooses the size of their metadata, up to about 1.5 MB.
 */
export function isLarge({ annotations, labels, managedFields }: LiveMetadata): boolean {
  let weight = 0;
  for (const key in annotations) weight += key.length + (annotations[key] ?? "").length;
  for (const key in labels) weight += key.length + (labels[key] ?? "").length;
  for (const { fields } of managedFields) weight += fields.size * FIELD_WEIGHT;
  return weight > WEIGHT_MAX;
}

/** The part of the metadata that rows, deletions and restarts need after the verdict. */
export function reduceMetadata(live: LiveMetadata, { annotations: own }: RelayMetadata): LiveMetadata {
  const { namespace, name, uid, resourceVersion, type, isBeingDeleted, annotations } = live;
  const identity = { namespace, name, uid, resourceVersion, type, isBeingDeleted };
  const kept = [own.versionId, own.writtenAt, own.readersDue].flatMap((key): [string, string][] => {
    const text = annotations[key];
    return text === undefined || text.length > ANNOTATION_LENGTH_MAX ? [] : [[key, text]];
  });
  return { ...identity, labels: {}, annotations: Object.fromEntries(kept), managedFields: [] };
}

/** Four times the metadata of a usual Secret. 10,000 Secrets that are just not large take 80 MB. */
const WEIGHT_MAX = 8_192;
/** A path in a set. */
const FIELD_WEIGHT = 64;
/** The relay writes less than 150 characters into each of them. */
const ANNOTATION_LENGTH_MAX = 1_000;
