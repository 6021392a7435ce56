import type { WorkloadKind } from "../bindings/binding.ts";
import type { RawObject } from "./workload.ts";

/**
 * Whether the pods of a workload have been replaced since its last change. Each kind has the rules of its own
 * controller, as `kubectl rollout status` applies them (kubernetes/kubectl, pkg/polymorphichelpers/rollout_status.go).
 */
export type RolloutStatus = {
  /**
   * complete: all pods are new and available. progressing: the controller is at work. paused: an operator paused it.
   * stuck: the controller has given up, or will not replace all pods.
   */
  readonly state: "complete" | "progressing" | "paused" | "stuck";
  /** The controller's own word for the problem, such as `ProgressDeadlineExceeded`. Always set if stuck. */
  readonly reason?: string;
  /** If stuck and the Pods could be listed: why new pods do not start, in words of the kubelet, the most frequent first. */
  readonly podReasons?: readonly string[];
  /** New pods that are available, and pods that the workload wants. Absent for a Rollout, whose pods are not counted. */
  readonly pods?: { readonly available: number; readonly desired: number };
  /** When the controller says that it completed, ms since the epoch, whole seconds. Only a Deployment says it. */
  readonly completedAt?: number;
};

/** Pure. An answer without a status counts as progressing. */
export function rolloutStatus(kind: WorkloadKind, workload: RawObject): RolloutStatus {
  const status = STATUS_OF_KIND[kind](workload);
  const isPaused = workload.spec?.paused === true && status.state === "progressing";
  return isPaused ? { ...status, state: "paused" } : status;
}

const STATUS_OF_KIND: Readonly<Record<WorkloadKind, (workload: RawObject) => RolloutStatus>> = {
  Deployment: deploymentStatus,
  StatefulSet: statefulSetStatus,
  DaemonSet: daemonSetStatus,
  Rollout: argoRolloutStatus,
};

function deploymentStatus(workload: RawObject): RolloutStatus {
  const { spec = {}, status = {} } = workload;
  const desired = countOf(spec.replicas, 1);
  const updated = countOf(status.updatedReplicas);
  const available = countOf(status.availableReplicas);
  const pods = {
    available: newAndAvailable(updated, countOf(status.replicas) - available, desired),
    desired,
  };
  if (!isObserved(workload)) return { state: "progressing", pods };
  const progress = conditionOf(workload, "Progressing");
  if (progress?.reason === "ProgressDeadlineExceeded") {
    return { state: "stuck", reason: failureOf(workload) ?? "ProgressDeadlineExceeded", pods };
  }
  const isComplete =
    updated >= desired && countOf(status.replicas) <= updated && available >= Math.max(updated, desired);
  if (!isComplete) return { state: "progressing", pods, ...reasonIf(failureOf(workload)) };
  const completedAt = Date.parse(
    progress?.reason === "NewReplicaSetAvailable" ? (progress.lastUpdateTime ?? "") : "",
  );
  return { state: "complete", pods, ...(!Number.isNaN(completedAt) && { completedAt }) };
}

/** A quota or an admission webhook that refuses the new pods shows as a failure of the ReplicaSet. */
function failureOf(workload: RawObject): string | undefined {
  const failure = conditionOf(workload, "ReplicaFailure");
  return failure?.status === "True" ? failure.reason : undefined;
}

function statefulSetStatus(workload: RawObject): RolloutStatus {
  const { spec = {}, status = {} } = workload;
  const desired = countOf(spec.replicas, 1);
  const updated = countOf(status.updatedReplicas);
  const ready = countOf(status.readyReplicas);
  const isNew = status.updateRevision !== undefined && status.currentRevision === status.updateRevision;
  const unready = countOf(status.replicas) - ready;
  const available = isNew ? Math.min(ready, desired) : newAndAvailable(updated, unready, desired);
  const pods = { available, desired };
  if (!isObserved(workload)) return { state: "progressing", pods };
  // Pods with an ordinal below the partition keep the old revision until an operator lowers the partition.
  const partition = Math.min(countOf(spec.updateStrategy?.rollingUpdate?.partition), desired);
  const isAvailable = ready >= desired;
  if (partition > 0 && !isNew) {
    const isDone = isAvailable && updated >= desired - partition;
    return isDone ? { state: "stuck", reason: "Partition", pods } : { state: "progressing", pods };
  }
  return { state: isAvailable && isNew ? "complete" : "progressing", pods };
}

function daemonSetStatus(workload: RawObject): RolloutStatus {
  const { status = {} } = workload;
  const desired = countOf(status.desiredNumberScheduled);
  const updated = countOf(status.updatedNumberScheduled);
  const available = countOf(status.numberAvailable);
  const pods = { available: newAndAvailable(updated, desired - available, desired), desired };
  const isComplete = isObserved(workload) && updated >= desired && available >= desired;
  return { state: isComplete ? "complete" : "progressing", pods };
}

/** The controllers do not count these. During a rollout the pods that are not available are most likely new ones. */
const newAndAvailable = (updated: number, unavailable: number, desired: number): number =>
  Math.min(Math.max(0, updated - Math.max(0, unavailable)), desired);

/**
 * The controller of Argo Rollouts deletes one pod at a time that is older than `spec.restartAt`, and then copies that
 * time to `status.restartedAt` (argo-rollouts, rollout/restart.go). A change of the template ends the restart too: then
 * the new pods count, and `phase` tells about them.
 */
function argoRolloutStatus({ spec = {}, status = {}, ...workload }: RawObject): RolloutStatus {
  const restartAt = Date.parse(spec.restartAt ?? "");
  const restartedAt = Date.parse(status.restartedAt ?? "");
  if (status.phase === "Degraded") {
    const progress = conditionOf({ ...workload, status }, "Progressing");
    return { state: "stuck", reason: progress?.reason ?? "Degraded" };
  }
  const isRestarted = Number.isNaN(restartAt) || restartedAt >= restartAt;
  return { state: isRestarted && status.phase !== "Progressing" ? "complete" : "progressing" };
}

/** Before the controller has observed a change, its status is about the generation before. */
function isObserved({ metadata = {}, status = {} }: RawObject): boolean {
  return countOf(status.observedGeneration) >= countOf(metadata.generation);
}

type Condition = { readonly status?: string; readonly reason?: string; readonly lastUpdateTime?: string };

/** Its reason only if it is a word, as Kubernetes requires of reasons: any other text may be anything. */
function conditionOf({ status = {} }: RawObject, type: string): Condition | undefined {
  const conditions = Array.isArray(status.conditions) ? status.conditions : [];
  const found = conditions.find((condition) => condition?.type === type);
  if (found === undefined) return undefined;
  const { reason, ...others } = found;
  return { ...others, ...reasonIf(reason) };
}

const reasonIf = (reason: unknown): { readonly reason?: string } =>
  typeof reason === "string" && REASON.test(reason) ? { reason } : {};

/** CamelCase words (kubernetes/apimachinery, pkg/apis/meta/v1, Condition.reason). */
const REASON = /^[A-Za-z][A-Za-z0-9_]{0,127}$/;

const countOf = (value: unknown, otherwise = 0): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
