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
  const available = isFirst ? ready : pods;
  const counts = withoutZeros({
    replicas: available + starting,
    updatedReplicas: ready + starting,
    readyReplicas: available,
    availableReplicas: available,
    unavailableReplicas: starting,
  });
  const isAvailable = available >= pods - Math.floor(pods / 4);
  const conditions = [
    isAvailable
      ? condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
      : condition(
          "Available",
          "False",
          "MinimumReplicasUnavailable",
          "Deployment does not have minimum availability.",
        ),
    progressing(rollout, workload, now),
  ];
  return { ...counts, conditions: conditions.map((each) => withTimes(each, rollout, workload, now)) };
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

const condition = (
  type: string,
  status: Condition["status"],
  reason: string,
  message: string,
): Condition => ({
  ...{ type, status, reason, message },
});

function progressing(rollout: Rollout, workload: KubernetesObject, now: number): Condition {
  const replicaSet = `ReplicaSet "${rollout.revision}"`;
  const type = "Progressing";
  if (isDone(rollout) && !rollout.isHeld) {
    return condition(type, "True", "NewReplicaSetAvailable", `${replicaSet} has successfully progressed.`);
  }
  if (rollout.isHeld) return condition(type, "Unknown", "DeploymentPaused", "Deployment is paused");
  if (deadlineOf(rollout, workload) <= now) {
    return condition(type, "False", "ProgressDeadlineExceeded", `${replicaSet} has timed out progressing.`);
  }
  return condition(type, "True", "ReplicaSetUpdated", `${replicaSet} is progressing.`);
}

/** In whole seconds. The time of a transition stays while the status does. */
function withTimes(next: Condition, rollout: Rollout, { status }: KubernetesObject, now: number): Fields {
  const before = fieldsOf(status).conditions;
  const last = Array.isArray(before) ? before.find(({ type }) => type === next.type) : undefined;
  const isProgress = next.type === "Progressing" && next.status === "True";
  const isSame = last?.status === next.status && last?.reason === next.reason;
  const at = secondsOf(isProgress ? rollout.progressedAt : now);
  return {
    ...next,
    lastUpdateTime: isSame && !isProgress ? last.lastUpdateTime : at,
    lastTransitionTime: last?.status === next.status ? last.lastTransitionTime : at,
  };
}

const secondsOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

/** Go omits them. */
const withoutZeros = (counts: Readonly<Record<string, number>>): Fields =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
