import type { StoredEvent } from "./store.ts";

/** The state of a Secret after one accepted write; a deletion has the last data. */
export type SecretState = {
  type: "ADDED" | "MODIFIED" | "DELETED";
  name: string;
  resourceVersion: string;
  uid: string;
  /** Base64, as sent. */
  data: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
};

export function historyOf(events: readonly StoredEvent[], namespace: string, name: string): SecretState[] {
  return events
    .filter(({ resource }) => resource.group === "" && resource.resource === "secrets")
    .filter(({ object: { metadata } }) => metadata.namespace === namespace && metadata.name === name)
    .map(({ type, object }) => ({
      type,
      name: object.metadata.name ?? "",
      resourceVersion: object.metadata.resourceVersion ?? "",
      uid: object.metadata.uid ?? "",
      data: (object.data ?? {}) as Record<string, string>,
      annotations: object.metadata.annotations ?? {},
    }));
}
