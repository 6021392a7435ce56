import { type Fields, fieldsOf, type KubernetesObject } from "./object.ts";
import { deadlineOf, isDone, podsOf, podsToReplace, type Rollout } from "./rollout-state.ts";

/** The status that the controller of this kind writes. Pure. */
export function statusOf(rollout: Rollout, workload: KubernetesObject, now: number): Fields {
  const { kind, metadata } = workload;
  const print = PRINTS[kind] ?? deploymentStatus;
  return { observedGeneration: metadata.generation, ...print(rollout, workload, now) };
}

type Print = (rollout: Rollout, workload: KubernetesObject, now: number) => Fields;

/** As with maxSurge 1 and maxUnavailable 0: an old pod goes when its new one is available. */
const deploymentStatus: Print = (rollout, workload, now) => {
  const { ready, starting, pods, isFirst } = countPods(rollout, workload);
  const availableReplicas = isFirst ? ready : pods;
  const counts = withoutZeros({
    replicas: availableReplicas + starting,
    updatedReplicas: ready + starting,
    readyReplicas: availableReplicas,
    availableReplicas,
    unavailableReplicas: starting,
  });
  const isAvailable = availableReplicas >= pods - Math.floor(pods / 4);
  const conditions = [available(isAvailable, now), progressing(rollout, workload, now)];
  return { ...counts, conditions: conditions.map((each) => withTimes(each, workload)) };
};

/** An old pod is deleted before its new one starts. */
const statefulSetStatus: Print = (rollout, workload) => {
  const { ready, starting, pods, isFirst } = countPods(rollout, workload);
  const old = isFirst ? 0 : pods - ready - starting;
  const { revision, completed = revision } = rollout;
  return {
    replicas: ready + starting + old,
    ...withoutZeros({
      updatedReplicas: ready + starting,
      readyReplicas: ready + old,
      currentReplicas: completed === revision ? ready + starting : old,
    }),
    availableReplicas: ready + old,
    currentRevision: completed,
    updateRevision: revision,
  };
};

const daemonSetStatus: Print = (rollout, workload) => {
  const { ready, starting, pods, isFirst } = countPods(rollout, workload);
  const old = isFirst ? 0 : pods - ready - starting;
  return {
    desiredNumberScheduled: pods,
    currentNumberScheduled: ready + starting + old,
    numberMisscheduled: 0,
    numberReady: ready + old,
    ...withoutZeros({
      updatedNumberScheduled: ready + starting,
      numberAvailable: ready + old,
      numberUnavailable: pods - ready - old,
    }),
  };
};

const PRINTS: Readonly<Record<string, Print>> = {
  Deployment: deploymentStatus,
  StatefulSet: statefulSetStatus,
  DaemonSet: daemonSetStatus,
};

type PodCounts = {
  readonly ready: number;
  /** New pods that are not available yet. */
  readonly starting: number;
  readonly pods: number;
  /** No pod of an earlier template exists. */
  readonly isFirst: boolean;
};

function countPods(rollout: Rollout, workload: KubernetesObject): PodCounts {
  const { ready, isHeld, completed } = rollout;
  const isFirst = completed === undefined;
  const left = podsToReplace(rollout, workload) - ready;
  const startsAll = isFirst && workload.kind !== "StatefulSet";
  const starting = isHeld || isDone(rollout) ? 0 : Math.max(0, startsAll ? left : Math.min(1, left));
  return { ready, starting, pods: podsOf(workload), isFirst };
}

type Condition = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
};

/** `at`: when this last became true, ms since the epoch. */
type Dated = Condition & { readonly at: number };

function available(isAvailable: boolean, now: number): Dated {
  const type = "Available";
  return isAvailable
    ? {
        ...{ type, status: "True", reason: "MinimumReplicasAvailable", at: now },
        message: "Deployment has minimum availability.",
      }
    : {
        ...{ type, status: "False", reason: "MinimumReplicasUnavailable", at: now },
        message: "Deployment does not have minimum availability.",
      };
}

function progressing(rollout: Rollout, workload: KubernetesObject, now: number): Dated {
  const { revision, isHeld, progressedAt } = rollout;
  const type = "Progressing";
  const subject = `ReplicaSet "${revision}"`;
  if (isHeld) {
    const message = "Deployment is paused";
    return { type, status: "Unknown", reason: "DeploymentPaused", message, at: progressedAt };
  }
  if (isDone(rollout)) {
    const message = `${subject} has successfully progressed.`;
    return { type, status: "True", reason: "NewReplicaSetAvailable", message, at: progressedAt };
  }
  const deadline = deadlineOf(rollout, workload);
  if (deadline <= now) {
    const message = `${subject} has timed out progressing.`;
    return { type, status: "False", reason: "ProgressDeadlineExceeded", message, at: deadline };
  }
  const message = `${subject} is progressing.`;
  return { type, status: "True", reason: "ReplicaSetUpdated", message, at: progressedAt };
}

/** In whole seconds. The time of a transition stays while the status does. */
function withTimes({ at, ...next }: Dated, { status }: KubernetesObject): Fields {
  const { conditions } = fieldsOf(status);
  const last = Array.isArray(conditions) ? conditions.find(({ type }) => type === next.type) : undefined;
  const time = secondsOf(at);
  return {
    ...next,
    lastUpdateTime: next.type === "Available" && last?.reason === next.reason ? last.lastUpdateTime : time,
    lastTransitionTime: last?.status === next.status ? last.lastTransitionTime : time,
  };
}

const secondsOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

/** Go omits them. */
const withoutZeros = (counts: Readonly<Record<string, number>>): Fields =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
