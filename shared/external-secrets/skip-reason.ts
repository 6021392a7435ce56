import type { ExternalSecret, SecretStore } from "./objects.ts";
import { isSyncWindowClosed } from "./sync-window.ts";

/** Why ESO will not follow a nudge. */
export type IgnoredCode =
  | "REFRESH_DISABLED"
  | "REFRESH_CREATED_ONCE"
  | "SYNC_WINDOW_CLOSED"
  | "GENERATOR_ONLY"
  | "PUSH_SECRET_WRITES_SOURCE"
  | "EXTERNAL_SECRET_BEING_DELETED";

/** The reason why ESO never refreshes this ExternalSecret on an annotation, if any. Pure. */
export function findSkipReason(external: ExternalSecret): IgnoredCode | undefined {
  const { refreshPolicy, refreshIntervalMs, status, references, isBeingDeleted } = external;
  if (isBeingDeleted) return "EXTERNAL_SECRET_BEING_DELETED";
  if (references.every(({ kind }) => kind === "generator")) return "GENERATOR_ONLY";
  const isSynced = status.syncedResourceVersion !== undefined;
  if (refreshPolicy === "CreatedOnce" && isSynced && status.refreshedAt !== undefined)
    return "REFRESH_CREATED_ONCE";
  if (refreshPolicy === "Periodic" && refreshIntervalMs <= 0 && isSynced) return "REFRESH_DISABLED";
  return undefined;
}

/** Whether its sync window is closed now. ESO still follows an annotation, but does not retry a failed refresh. */
export function isOutsideWindow({ syncWindows, refreshPolicy }: ExternalSecret, now: number): boolean {
  return (
    syncWindows !== undefined && refreshPolicy === "Periodic" && isSyncWindowClosed(syncWindows, now) === true
  );
}

/** ESO does not use a store that is not Ready, and checks each store every five minutes. */
export function findUnusableStore(
  external: ExternalSecret,
  findStore: (ref: Pick<SecretStore, "kind" | "name">, namespace: string) => SecretStore | undefined,
): Pick<SecretStore, "kind" | "name"> | undefined {
  const refs = external.references.flatMap(({ store }) => (store === undefined ? [] : [store]));
  return refs.find((ref) => findStore(ref, external.namespace)?.isReady !== true);
}
