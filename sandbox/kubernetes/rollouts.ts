import { isDeepStrictEqual } from "node:util";
import type { Resource } from "./resources.ts";
import { advance, nextChangeAt, type Rollout } from "./rollout-state.ts";
import { statusOf } from "./rollout-status.ts";
import type { Store } from "./store.ts";

export type Rollouts = {
  /** Does what is due: a clock that jumped has fired no timer yet. */
  catchUp(): void;
  stop(): void;
};

/**
 * Simulates the controllers of apps/v1 without pods. A change of a pod template is rolled out at once, unless
 * annotations of the workload make it slow or stuck (README.md).
 */
export function startRollouts(store: Store, now: () => number): Rollouts {
  const followed = new Map<string, Followed>();

  const reconcile = (workload: Workload): void => {
    const { uid, resource, namespace, name } = workload;
    const before = followed.get(uid);
    clearTimeout(before?.timer);
    followed.delete(uid);
    const live = store.find(resource, namespace, name);
    if (live?.metadata.uid !== uid) return;
    const at = now();
    const rollout = advance(before?.rollout, live, at);
    const dueAt = nextChangeAt(rollout, live, at);
    const timer = setTimeoutAt(dueAt, at, () => reconcile(workload));
    followed.set(uid, { workload, rollout, dueAt, timer });
    const status = statusOf(rollout, live, at);
    if (!isDeepStrictEqual(status, live.status)) store.put(resource, { ...live, status });
  };

  const unsubscribe = store.observe(({ resource, object: { metadata } }) => {
    const { uid = "", namespace, name = "" } = metadata;
    // After this write has been announced: watchers must see the status later.
    if (resource.group === "apps") queueMicrotask(() => reconcile({ uid, resource, namespace, name }));
  });
  return {
    catchUp: () => {
      const due = [...followed.values()].filter(({ dueAt }) => dueAt <= now());
      for (const { workload } of due) reconcile(workload);
    },
    stop: () => {
      unsubscribe();
      for (const { timer } of followed.values()) clearTimeout(timer);
      followed.clear();
    },
  };
}

type Workload = {
  readonly uid: string;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
};

type Followed = {
  readonly workload: Workload;
  readonly rollout: Rollout;
  /** When its state changes without a write; infinite if it does not. */
  readonly dueAt: number;
  readonly timer: NodeJS.Timeout | undefined;
};

/** Keeps no process alive. */
function setTimeoutAt(time: number, now: number, run: () => void): NodeJS.Timeout | undefined {
  if (time === Number.POSITIVE_INFINITY) return undefined;
  return setTimeout(run, Math.min(time - now, TIMEOUT_MS_MAX)).unref();
}

/** The longest that Node waits. */
const TIMEOUT_MS_MAX = 2_147_483_647;
