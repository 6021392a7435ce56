import { choosePresentation, paginate, presentList, presentObject } from "./list-and-table.ts";
import type { KubernetesObject } from "./object.ts";
import { apiVersionOf, type Resource } from "./resources.ts";
import { parseFieldSelector, parseLabelSelector, type Selects } from "./selectors.ts";
import { ApiStatus, badRequest } from "./status.ts";
import type { Store, StoredEvent } from "./store.ts";

export function findObject(
  store: Store,
  resource: Resource,
  namespace: string | undefined,
  name: string,
): KubernetesObject | undefined {
  const { resource: stored, show } = storageOf(resource);
  const object = store.find(stored, namespace, name);
  return object && show(object);
}

export type ListRequest = {
  store: Store;
  resource: Resource;
  namespace: string | undefined;
  query: URLSearchParams;
  accept: string | undefined;
  now: Date;
};

export type Listed = { body: unknown; shown: KubernetesObject[] };

export function listObjects({ store, resource, namespace, query, accept, now }: ListRequest): Listed {
  const as = choosePresentation(accept, "list", resource);
  const selects = selectorOf(query, resource);
  const limit = Number(query.get("limit") ?? 0);
  const token = query.get("continue") ?? undefined;
  const matching = storedObjects(store, resource, namespace).filter(selects);
  const { objects, continueAt, remaining } = paginate(matching, { limit, token, revision: store.revision });
  // The remaining count is omitted where a selector would have to be applied first.
  const isSelective = query.has("labelSelector") || query.has("fieldSelector");
  const metadata = {
    resourceVersion: String(store.revision),
    ...(continueAt ? { continue: continueAt } : {}),
    ...(continueAt && !isSelective ? { remainingItemCount: remaining } : {}),
  };
  return {
    body: presentList(objects, metadata, as, { resource, now }),
    shown: as === "whole" ? objects : [],
  };
}

export type WatchRequest = ListRequest & {
  onEvent(line: string, shown: KubernetesObject[]): void;
  onEnd(): void;
};

/** From a revision on, or all present objects and then all changes. */
export function watchObjects(request: WatchRequest): () => void {
  const { store, resource, namespace, query, accept, now, onEvent, onEnd } = request;
  const as = choosePresentation(accept, "object", resource);
  const selects = selectorOf(query, resource);
  const { resource: stored, show } = storageOf(resource);
  const send = (type: StoredEvent["type"] | "BOOKMARK", object: KubernetesObject) => {
    const line = JSON.stringify({ type, object: presentObject(object, as, resource, now) });
    onEvent(`${line}\n`, as === "whole" ? [object] : []);
  };
  const wantsInitialEvents = /^(true|1)$/.test(query.get("sendInitialEvents") ?? "");
  const from = wantsInitialEvents ? 0 : parseRevision(query.get("resourceVersion"));
  if (from === 0)
    for (const object of storedObjects(store, resource, namespace).filter(selects)) send("ADDED", object);
  if (wantsInitialEvents) send("BOOKMARK", endOfInitialEvents(resource, store.revision));
  if (from > 0 && !store.isWatchableAfter(from)) {
    const tooOld = new ApiStatus(410, "Expired", `too old resource version: ${from} (${store.revision})`);
    onEvent(`${JSON.stringify({ type: "ERROR", object: tooOld.toStatus() })}\n`, []);
    onEnd();
    return () => {};
  }
  return store.watch(from || store.revision, (event) => {
    const isOurs = event.resource.group === stored.group && event.resource.resource === stored.resource;
    const isHere = namespace === undefined || event.object.metadata.namespace === namespace;
    if (!isOurs || !isHere) return;
    const object = show(event.object);
    if (selects(object)) send(event.type, object);
  });
}

/** The informers of kubectl 1.35 and newer wait for this bookmark. */
const endOfInitialEvents = (resource: Resource, revision: number): KubernetesObject => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  metadata: { resourceVersion: String(revision), annotations: { "k8s.io/initial-events-end": "true" } },
});

const storageOf = (resource: Resource): NonNullable<Resource["viewOf"]> =>
  resource.viewOf ?? { resource, show: (object) => object };

function storedObjects(store: Store, resource: Resource, namespace: string | undefined): KubernetesObject[] {
  const { viewOf } = resource;
  return viewOf ? store.list(viewOf.resource, namespace).map(viewOf.show) : store.list(resource, namespace);
}

/** For a watch, whose response has started by the time it is read. */
export function assertSelectable(query: URLSearchParams, resource: Resource): void {
  selectorOf(query, resource);
  parseRevision(query.get("resourceVersion"));
}

function selectorOf(query: URLSearchParams, { selectable }: Resource): Selects {
  const byLabel = parseLabelSelector(query.get("labelSelector") ?? "");
  const byField = parseFieldSelector(query.get("fieldSelector") ?? "", selectable).selects;
  return (object) => byLabel(object) && byField(object);
}

function parseRevision(text: string | null): number {
  if (!text) return 0;
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value: "${text}": invalid resource version`);
  return Number(text);
}
