import type { StoredEvent } from "./store.ts";

/** A Secret as one accepted write left it; a deletion has the last data. */
export type SecretState = {
  type: "ADDED" | "MODIFIED" | "DELETED";
  resourceVersion: string;
  uid: string;
  /** As on the wire: base64. */
  data: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
};

export function historyOf(events: readonly StoredEvent[], namespace: string, name: string): SecretState[] {
  return events
    .filter(({ resource }) => resource.group === "" && resource.resource === "secrets")
    .filter(({ object: { metadata } }) => metadata.namespace === namespace && metadata.name === name)
    .map(({ type, object }) => ({
      type,
      resourceVersion: object.metadata.resourceVersion ?? "",
      uid: object.metadata.uid ?? "",
      data: (object.data ?? {}) as Record<string, string>,
      annotations: object.metadata.annotations ?? {},
    }));
}
