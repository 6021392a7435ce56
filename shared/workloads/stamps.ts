import { createHash } from "node:crypto";

/** The field manager of whatever is changed on workloads and Pods. */
export const READERS_FIELD_MANAGER = "secret-relay-restart";

/** When the relay last restarted the workload, for whichever Secret: ISO 8601 by our clock. */
export const RESTARTED_AT = "secret-relay/restarted-at";

/**
 * On a pod template (or a Rollout): for which version of this Secret it was restarted. On the metadata of a workload
 * that the relay never restarted: with which version it started.
 */
export const restartedFor = (secretName: string): string => stampOf("restarted-for", secretName);

/** On a Pod: for which version of this Secret it was told. */
export const nudgedFor = (secretName: string): string => stampOf("nudged-for", secretName);

function stampOf(prefix: string, secretName: string): string {
  const name = `${prefix}-${secretName}`;
  if (name.length <= NAME_LENGTH_MAX) return `secret-relay/${name}`;
  const digest = createHash("sha256").update(secretName).digest("hex").slice(0, 32);
  return `secret-relay/${prefix}-${digest}`;
}

/** Of an annotation's key, the part after the slash. */
const NAME_LENGTH_MAX = 63;
