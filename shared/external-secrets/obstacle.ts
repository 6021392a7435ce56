import type { ExternalSecret, SecretStore } from "./objects.ts";
import { isSyncWindowClosed } from "./sync-window.ts";

/** Why ESO will not follow a nudge. A person chose it, or must do something about it. */
export type IgnoredCode =
  | "REFRESH_DISABLED"
  | "REFRESH_CREATED_ONCE"
  | "SYNC_WINDOW_CLOSED"
  | "GENERATOR_ONLY"
  | "PUSH_SECRET_WRITES_SOURCE"
  | "EXTERNAL_SECRET_BEING_DELETED";

/** What keeps ESO from ever refreshing this one because of an annotation; undefined when nothing does. Pure. */
export function findObstacle(external: ExternalSecret): IgnoredCode | undefined {
  const { refreshPolicy, refreshIntervalMs, status, references, isBeingDeleted } = external;
  if (isBeingDeleted) return "EXTERNAL_SECRET_BEING_DELETED";
  if (references.every(({ kind }) => kind === "generator")) return "GENERATOR_ONLY";
  const isSynced = status.syncedResourceVersion !== undefined;
  if (refreshPolicy === "CreatedOnce" && isSynced && status.refreshedAt !== undefined)
    return "REFRESH_CREATED_ONCE";
  if (refreshPolicy === "Periodic" && refreshIntervalMs <= 0 && isSynced) return "REFRESH_DISABLED";
  return undefined;
}

/** Whether a window is closed for it now. ESO follows an annotation all the same, but does not retry what fails then. */
export function isOutsideWindow({ syncWindows, refreshPolicy }: ExternalSecret, now: number): boolean {
  return (
    syncWindows !== undefined && refreshPolicy === "Periodic" && isSyncWindowClosed(syncWindows, now) === true
  );
}

/** ESO refuses everything of a store whose Ready condition is not True, and looks at the store every five minutes. */
export function findUnusableStore(
  external: ExternalSecret,
  findStore: (ref: Pick<SecretStore, "kind" | "name">, namespace: string) => SecretStore | undefined,
): Pick<SecretStore, "kind" | "name"> | undefined {
  const refs = external.references.flatMap(({ store }) => (store === undefined ? [] : [store]));
  return refs.find((ref) => findStore(ref, external.namespace)?.isReady !== true);
}
