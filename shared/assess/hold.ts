import { HOLD_ANNOTATION } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { annotationField } from "../cluster/managed-fields.ts";

/** With a longer hold, operators could forget that the relay does not maintain the Secret. */
export const HOLD_MS_MAX = 24 * 3_600_000;

/**
 * The end of an operator's hold, ms since the epoch; undefined without one. An annotation has no effect when it is not an
 * RFC 3339 time, is in the past, or is more than 24 hours after it was set.
 */
export function heldUntil({ annotations, managedFields }: LiveMetadata, now: number): number | undefined {
  const text = annotations[HOLD_ANNOTATION];
  if (text === undefined || !RFC_3339.test(text)) return undefined;
  const until = Date.parse(text);
  if (Number.isNaN(until) || until <= now) return undefined;
  const field = annotationField(HOLD_ANNOTATION);
  const setAt = managedFields
    .filter(({ fields }) => fields.has(field))
    .map(({ writtenAt }) => writtenAt?.getTime() ?? now)
    .reduce((latest, at) => Math.max(latest, at), 0);
  // managedFields has whole seconds, and the operator's clock may be ahead.
  const from = Math.min(setAt === 0 ? now : setAt, now);
  return until - from <= HOLD_MS_MAX + CLOCK_TOLERANCE_MS ? until : undefined;
}

const CLOCK_TOLERANCE_MS = 60_000;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;
