import { randomUUID } from "node:crypto";
import type { KubernetesObject } from "./object.ts";
import type { Resource } from "./resources.ts";

export type StoredEvent = {
  type: "ADDED" | "MODIFIED" | "DELETED";
  resource: Resource;
  object: KubernetesObject;
  revision: number;
};

/**
 * All objects of the cluster and all events, under one counter, as in etcd. All methods are synchronous, so no request
 * can come between a read and its write.
 */
export class Store {
  /** By the resource and namespace at the start of a key, then by key: a list reads no other objects. */
  readonly #places = new Map<string, Map<string, KubernetesObject>>();
  readonly #events: StoredEvent[] = [];
  readonly #watchers = new Set<(event: StoredEvent) => void>();
  readonly #observers = new Set<(event: StoredEvent) => void>();
  // etcd counts from 1, and a real cluster has made some hundred writes before its first user.
  #revision = 200;
  #watchableAfter = 0;

  get revision(): number {
    return this.#revision;
  }

  get events(): readonly StoredEvent[] {
    return this.#events;
  }

  find(resource: Resource, namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#place(resource, namespace).get(keyOf(resource, namespace, name));
  }

  /** In the order of their keys, as in etcd. */
  list(resource: Resource, namespace: string | undefined): KubernetesObject[] {
    const prefix = keyOf(resource, namespace, "");
    const places = [...this.#places].filter(([at]) =>
      namespace === undefined ? at.startsWith(prefix) : at === prefix,
    );
    const objects = places.flatMap(([, place]) => [...place]);
    return objects.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, object]) => object);
  }

  put(resource: Resource, object: KubernetesObject): KubernetesObject {
    const { namespace, name = "" } = object.metadata;
    const key = keyOf(resource, namespace, name);
    const place = this.#place(resource, namespace);
    const type = place.has(key) ? "MODIFIED" : "ADDED";
    const stored = this.#stamp(object);
    place.set(key, stored);
    this.#announce({ type, resource, object: stored, revision: this.#revision });
    return stored;
  }

  delete(resource: Resource, object: KubernetesObject): void {
    const { namespace, name = "" } = object.metadata;
    this.#place(resource, namespace).delete(keyOf(resource, namespace, name));
    this.#announce({ type: "DELETED", resource, object: this.#stamp(object), revision: this.#revision });
  }

  /** A new API server knows the present objects, and not their history: no watch can start before this moment. */
  forgetWatches(): void {
    this.#watchers.clear();
    this.#watchableAfter = this.#revision;
  }

  /** Whether a watch can start after that revision. */
  isWatchableAfter(revision: number): boolean {
    return revision >= this.#watchableAfter;
  }

  /** Calls for every event after a revision, past ones immediately. */
  watch(afterRevision: number, onEvent: (event: StoredEvent) => void): () => void {
    for (const event of this.#events) if (event.revision > afterRevision) onEvent(event);
    this.#watchers.add(onEvent);
    return () => this.#watchers.delete(onEvent);
  }

  /** Calls for every further event. Unlike a watch, it outlives the process of the API server. */
  observe(onEvent: (event: StoredEvent) => void): () => void {
    this.#observers.add(onEvent);
    return () => this.#observers.delete(onEvent);
  }

  #place(resource: Resource, namespace: string | undefined): Map<string, KubernetesObject> {
    const prefix = keyOf(resource, namespace, "");
    const place = this.#places.get(prefix) ?? new Map<string, KubernetesObject>();
    this.#places.set(prefix, place);
    return place;
  }

  #stamp(object: KubernetesObject): KubernetesObject {
    this.#revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
  }

  #announce(event: StoredEvent): void {
    this.#events.push(event);
    for (const observer of this.#observers) observer(event);
    for (const watcher of this.#watchers) watcher(event);
  }
}

export const newUid = (): string => randomUUID();

/** The namespaces of a list: all of them without a namespace, all names for an empty one. */
function keyOf({ group, resource }: Resource, namespace: string | undefined, name: string): string {
  const prefix = `/${group || "core"}/${resource}/`;
  if (namespace === undefined) return `${prefix}${name}`;
  return `${prefix}${namespace}/${name}`;
}
