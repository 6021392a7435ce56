import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "./object.ts";
import type { Resource } from "./resources.ts";
import { advance, nextChangeAt, type Rollout } from "./rollout-state.ts";
import { statusOf } from "./rollout-status.ts";
import type { Store } from "./store.ts";

/**
 * Simulates the controllers of apps/v1 without pods. A change of a pod template is rolled out at once, unless
 * annotations of the workload make it slow or stuck (README.md).
 */
export function startRollouts(store: Store, now: () => number): () => void {
  const workloads = new Map<string, Followed>();

  const reconcile = (uid: string, resource: Resource, namespace: string | undefined, name: string): void => {
    const followed = workloads.get(uid);
    clearTimeout(followed?.timer);
    const live = store.find(resource, namespace, name);
    if (live === undefined || live.metadata.uid !== uid) {
      workloads.delete(uid);
      return;
    }
    const at = now();
    const rollout = advance(followed?.rollout, live, at);
    const next = nextChangeAt(rollout, live, at);
    const again = () => reconcile(uid, resource, namespace, name);
    const timer = next === undefined ? undefined : setTimeout(again, Math.min(next - at, TIMEOUT_MS_MAX));
    timer?.unref();
    workloads.set(uid, { rollout, timer });
    put(store, resource, { ...live, status: statusOf(rollout, live, at) }, live);
  };

  const unsubscribe = store.observe(({ resource, object: { metadata } }) => {
    const { uid = "", namespace, name = "" } = metadata;
    // After this write has been announced: watchers must see the status later.
    if (resource.group === "apps") queueMicrotask(() => reconcile(uid, resource, namespace, name));
  });
  return () => {
    unsubscribe();
    for (const { timer } of workloads.values()) clearTimeout(timer);
    workloads.clear();
  };
}

type Followed = { readonly rollout: Rollout; readonly timer: NodeJS.Timeout | undefined };

/** The longest that Node waits. */
const TIMEOUT_MS_MAX = 2_147_483_647;

function put(store: Store, resource: Resource, next: KubernetesObject, live: KubernetesObject): void {
  if (!isDeepStrictEqual(next.status, live.status)) store.put(resource, next);
}
