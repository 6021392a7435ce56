import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { fieldsOf, type KubernetesObject } from "./object.ts";
import { countOf } from "./workloads.ts";

/** What a controller of apps/v1 knows about the pods of one workload. */
export type Rollout = {
  /** Of the present pod template. */
  readonly revision: string;
  /** The revision that all pods ran with last; absent while the first pods start. */
  readonly completed?: string;
  /** Pods of the present template that are available. */
  readonly ready: number;
  /** Paused, or with the strategy OnDelete: no pod is replaced. */
  readonly isHeld: boolean;
  readonly pace: Pace;
  /** When the next pod began to start, ms since the epoch. */
  readonly waitsSince: number;
  /** When the rollout began or a pod became available, ms since the epoch. */
  readonly progressedAt: number;
};

type Pace = {
  readonly msPerPod: number;
  /** The first new pod that never becomes available, from 1. */
  readonly stuckAtPod: number;
};

/**
 * The state at a time, also if several pods became available since the state before. Pods are replaced one by one, at
 * the pace that the workload's annotations set. Pure.
 */
export function advance(before: Rollout | undefined, workload: KubernetesObject, now: number): Rollout {
  const rollout = replacePods(observe(before, workload, now), workload, now);
  const pods = podsOf(workload);
  if (isDone(rollout)) return { ...rollout, ready: pods };
  const isComplete = rollout.ready >= pods && !rollout.isHeld;
  return isComplete ? { ...rollout, completed: rollout.revision } : rollout;
}

/** When the next pod becomes available, or the deadline of a Deployment passes; infinite if neither will. */
export function nextChangeAt(rollout: Rollout, workload: KubernetesObject, now: number): number {
  const deadline = deadlineOf(rollout, workload);
  const readyAt = nextReadyAt(rollout, workload) ?? Number.POSITIVE_INFINITY;
  return deadline > now ? Math.min(deadline, readyAt) : readyAt;
}

export const isDone = ({ completed, revision }: Rollout): boolean => completed === revision;

/** When a Deployment without progress is given up; infinite for the other kinds, which have no deadline. */
export function deadlineOf(rollout: Rollout, { kind, spec }: KubernetesObject): number {
  const { progressDeadlineSeconds = 600 } = fieldsOf(spec);
  const isWatched = kind === "Deployment" && progressDeadlineSeconds !== NO_DEADLINE;
  if (!isWatched || rollout.isHeld || isDone(rollout)) return Number.POSITIVE_INFINITY;
  return rollout.progressedAt + Number(progressDeadlineSeconds) * 1_000;
}

/** The pods that a workload wants. A DaemonSet has one on each node. */
export const podsOf = ({ kind, spec }: KubernetesObject): number =>
  kind === "DaemonSet" ? NODES : countOf(spec, "replicas");

/** The pods that the rollout will replace: without those below the partition of a StatefulSet. */
export function podsToReplace(rollout: Rollout, workload: KubernetesObject): number {
  const { rollingUpdate } = fieldsOf(fieldsOf(workload.spec).updateStrategy);
  const kept = rollout.completed === undefined ? 0 : countOf(rollingUpdate, "partition");
  return Math.max(0, podsOf(workload) - kept);
}

const NODES = 2;
/** The largest int32, as in Kubernetes. */
const NO_DEADLINE = 2_147_483_647;

/** Takes over what the workload's owner has changed. */
function observe(before: Rollout | undefined, workload: KubernetesObject, now: number): Rollout {
  const revision = revisionOf(workload);
  const pace = paceOf(workload);
  const begun =
    before?.revision === revision
      ? before
      : { ...before, revision, ready: 0, isHeld: false, pace, waitsSince: now, progressedAt: now };
  const paced = isDeepStrictEqual(begun.pace, pace) ? begun : { ...begun, pace, waitsSince: now };
  const isHeld = isHeldBack(workload, paced);
  return paced.isHeld === isHeld ? paced : { ...paced, isHeld, waitsSince: now, progressedAt: now };
}

function replacePods(begun: Rollout, workload: KubernetesObject, now: number): Rollout {
  let rollout = begun;
  for (;;) {
    const readyAt = nextReadyAt(rollout, workload);
    if (readyAt === undefined || readyAt > now) return rollout;
    rollout = { ...rollout, ready: rollout.ready + 1, waitsSince: readyAt, progressedAt: readyAt };
  }
}

function nextReadyAt(rollout: Rollout, workload: KubernetesObject): number | undefined {
  const { ready, isHeld, pace, waitsSince } = rollout;
  const isLast = isDone(rollout) || ready >= podsToReplace(rollout, workload);
  return isHeld || isLast || ready + 1 >= pace.stuckAtPod ? undefined : waitsSince + pace.msPerPod;
}

const paceOf = ({ metadata: { annotations = {} } }: KubernetesObject): Pace => ({
  msPerPod: (Number(annotations["sandbox/seconds-per-pod"]) || 0) * 1_000,
  stuckAtPod: Number(annotations["sandbox/stuck-at-pod"]) || Number.POSITIVE_INFINITY,
});

function isHeldBack({ spec }: KubernetesObject, { completed }: Pick<Rollout, "completed">): boolean {
  const { paused, updateStrategy } = fieldsOf(spec);
  return paused === true || (fieldsOf(updateStrategy).type === "OnDelete" && completed !== undefined);
}

/** Equal for equal templates, so that a rollback finds the earlier revision. */
function revisionOf({ metadata, spec }: KubernetesObject): string {
  const template = JSON.stringify(fieldsOf(spec).template ?? {});
  return `${metadata.name}-${createHash("sha256").update(template).digest("hex").slice(0, 10)}`;
}
