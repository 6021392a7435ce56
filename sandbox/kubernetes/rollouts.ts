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
  const late = new Set<NodeJS.Timeout>();

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
    const { uid = "", namespace, name = "", annotations = {} } = metadata;
    if (resource.group !== "apps") return;
    const observe = () => reconcile({ uid, resource, namespace, name });
    const seconds = Number(annotations[SECONDS_TO_OBSERVE]) || 0;
    // After this write has been announced: watchers must see the status later.
    if (seconds <= 0) return queueMicrotask(observe);
    const timer = setTimeout(() => {
      late.delete(timer);
      observe();
    }, seconds * 1_000);
    timer.unref();
    late.add(timer);
  });
  return {
    catchUp: () => {
      const due = [...followed.values()].filter(({ dueAt }) => dueAt <= now());
      for (const { workload } of due) reconcile(workload);
    },
    stop: () => {
      unsubscribe();
      for (const { timer } of followed.values()) clearTimeout(timer);
      for (const timer of late) clearTimeout(timer);
      followed.clear();
    },
  };
}

/** On a workload: how long a write stays unseen by its controller, so that the status is about an older generation. */
const SECONDS_TO_OBSERVE = "sandbox/seconds-to-observe";

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
