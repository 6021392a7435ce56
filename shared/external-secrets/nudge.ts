/**
 * ESO refreshes an object when an annotation changes. This one is ESO's own: the controller of a ClusterExternalSecret
 * copies it to its ExternalSecrets, and removes any other annotation from them.
 */
export const NUDGE_ANNOTATION = "external-secrets.io/force-sync";

/** The field manager of the annotation; its time in managedFields is the time of the last nudge. */
export const NUDGE_FIELD_MANAGER = "secret-relay-trigger";

/** Identifies an event, and is the same in a retry. */
export type NudgeStamp = { readonly versionId: string; readonly eventId: string };

/** The annotation value of the `count`th nudge for an event, which changes with each nudge but not in a retry. */
export function printNudge({ versionId, eventId }: NudgeStamp, count: number): string {
  return `${versionId}/${eventId}/${count}`;
}

/** The number of nudges for this event in the annotation. */
export function countNudges(annotation: string | undefined, stamp: NudgeStamp): number {
  const prefix = printNudge(stamp, 0).slice(0, -1);
  if (annotation?.startsWith(prefix) !== true) return 0;
  const count = annotation.slice(prefix.length);
  return /^[1-9][0-9]{0,2}$/.test(count) ? Number(count) : 0;
}

/** A merge patch. With a uid, the API server refuses it for another object of that name. */
export const nudgePatch = (value: string, uid?: string): object => ({
  metadata: { ...(uid !== undefined && { uid }), annotations: { [NUDGE_ANNOTATION]: value } },
});
