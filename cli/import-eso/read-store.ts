import { type FieldReader, LEAVE_IT } from "./fields.ts";
import type { Conversion, PlacedStore } from "./parts.ts";

/** The store of the entry, or else of the ExternalSecret. */
export function readStoreOf(context: Conversion, entry: FieldReader): PlacedStore | undefined {
  const { request, store, objections } = context;
  if (!entry.has("sourceRef")) {
    if (store === undefined)
      objections.add(
        entry.path,
        "STORE_UNKNOWN",
        "neither the entry nor the ExternalSecret names a store. Add secretStoreRef",
      );
    return store;
  }
  const sourceRef = entry.map("sourceRef");
  if (sourceRef.has("generatorRef")) {
    const reason = `a generator creates a new value each time, so the relay has no source to follow. ${LEAVE_IT}`;
    sourceRef.refuse("GENERATOR", reason, "generatorRef");
    return undefined;
  }
  const found = readStoreRef(sourceRef.map("storeRef"), request.namespace);
  sourceRef.end();
  return found;
}

export function readStoreRef(reader: FieldReader, namespace: string): PlacedStore {
  const kind = reader.string("kind") ?? "SecretStore";
  const name = reader.string("name") ?? "";
  reader.end();
  return { kind, name, namespace, path: reader.path };
}
