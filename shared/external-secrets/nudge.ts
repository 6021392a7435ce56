/**
 * What makes ESO look again: an annotation with a new value. It is ESO's own for a ClusterExternalSecret, whose
 * controller copies it to the ExternalSecrets that it made and takes every other annotation away from them.
 */
export const NUDGE_ANNOTATION = "external-secrets.io/force-sync";

/** The field manager of the annotation; its time in the ledger says when the last nudge was. */
export const NUDGE_FIELD_MANAGER = "secret-relay-trigger";

/** Of one event: the same for a retry of it, another for another event. */
export type NudgeStamp = { readonly versionId: string; readonly eventId: string };

/** The value of the `count`th nudge for an event: a repeated event writes the same, a repeated nudge another. */
export function printNudge({ versionId, eventId }: NudgeStamp, count: number): string {
  return `${versionId}/${eventId}/${count}`;
}

/** How many nudges for this event the annotation tells of; 0 when it tells of none. */
export function countNudges(annotation: string | undefined, stamp: NudgeStamp): number {
  const prefix = printNudge(stamp, 0).slice(0, -1);
  if (annotation?.startsWith(prefix) !== true) return 0;
  const count = annotation.slice(prefix.length);
  return /^[1-9][0-9]{0,2}$/.test(count) ? Number(count) : 0;
}

/** A merge patch that touches nothing else. */
export const nudgePatch = (value: string): object => ({
  metadata: { annotations: { [NUDGE_ANNOTATION]: value } },
});
