import type { Nudgeable, RefreshStatus } from "./objects.ts";

/** The object before the nudge: as listed, and at the moment of the nudge. */
export type Before = {
  readonly listed: RefreshStatus;
  readonly atNudge: RefreshStatus;
  readonly nudgedAt: number | undefined;
};

/**
 * Whether ESO has refreshed the object since the nudge. Pure.
 *
 * ESO's times have whole seconds, so this compares syncedResourceVersion, which contains a digest of the annotations: if
 * it changed since the nudge, ESO followed the nudge. A duplicate invocation may nudge, and ESO refresh, between this
 * invocation's list and patch. Then syncedResourceVersion differs from the list, and the time shows a recent refresh.
 */
export function isRefreshedSince({ status }: Pick<Nudgeable, "status">, before: Before): boolean {
  const { isReady, refreshedAt } = status;
  if (isReady !== true || refreshedAt === undefined) return false;
  if (hasChanged(status, before.atNudge)) return true;
  return hasChanged(status, before.listed) && before.nudgedAt !== undefined && refreshedAt >= before.nudgedAt;
}

/**
 * Whether ESO refreshed the object after the nudge of an earlier attempt. Pure.
 *
 * Within the same second the order is unknown, but the nudge almost certainly caused the refresh.
 */
export function isRefreshedAfter({ status, nudgedAt }: Pick<Nudgeable, "status" | "nudgedAt">): boolean {
  const { isReady, refreshedAt } = status;
  return isReady === true && nudgedAt !== undefined && refreshedAt !== undefined && refreshedAt >= nudgedAt;
}

function hasChanged(now: RefreshStatus, then: RefreshStatus): boolean {
  if (now.syncedResourceVersion !== undefined)
    return now.syncedResourceVersion !== then.syncedResourceVersion;
  return now.refreshedAt !== then.refreshedAt;
}
