import type { Nudgeable, RefreshStatus } from "./objects.ts";

/** How the object was before the nudge: as it was listed, and as it was at the moment of the nudge. */
export type Before = {
  readonly listed: RefreshStatus;
  readonly atNudge: RefreshStatus;
  readonly nudgedAt: number | undefined;
};

/**
 * Whether ESO has refreshed the object since the nudge. Pure.
 *
 * ESO's times have whole seconds, so two refreshes within one are told apart by the version that it synced, which holds
 * a digest of the annotations: when that has moved since the nudge, the nudge was followed. An invocation that comes
 * twice may find its nudge made and followed between its list and its patch; then the list shows the move, and the time
 * that it was not an earlier one.
 */
export function isRefreshedSince({ status }: Pick<Nudgeable, "status">, before: Before): boolean {
  const { isReady, refreshedAt } = status;
  if (isReady !== true || refreshedAt === undefined) return false;
  if (hasMoved(status, before.atNudge)) return true;
  return hasMoved(status, before.listed) && before.nudgedAt !== undefined && refreshedAt >= before.nudgedAt;
}

/**
 * Whether what an earlier attempt nudged was refreshed after it. Pure.
 *
 * Within one second it can't be known which was first, and after it is all but certain: the nudge makes the refresh.
 */
export function isRefreshedAfter({ status, nudgedAt }: Pick<Nudgeable, "status" | "nudgedAt">): boolean {
  const { isReady, refreshedAt } = status;
  return isReady === true && nudgedAt !== undefined && refreshedAt !== undefined && refreshedAt >= nudgedAt;
}

function hasMoved(now: RefreshStatus, then: RefreshStatus): boolean {
  if (now.syncedResourceVersion !== undefined)
    return now.syncedResourceVersion !== then.syncedResourceVersion;
  return now.refreshedAt !== then.refreshedAt;
}
