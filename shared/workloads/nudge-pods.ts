import type { TargetRef } from "../bindings/binding.ts";
import { listObjects } from "../cluster/list-objects.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { NudgeOutcome } from "./outcome.ts";
import type { PendingRestart } from "./pending-restart.ts";
import { nudgedFor, READERS_FIELD_MANAGER } from "./restart-annotations.ts";
import { mountsSecret } from "./uses-secret.ts";
import type { RawObject, ReaderCluster } from "./workload.ts";

/**
 * Annotates the Pods that mount the Secret, so that their kubelets update the files now. Without it the files follow
 * within a minute or two, so a failed nudge is reported and never retried.
 */
export async function nudgePods(
  cluster: ReaderCluster,
  { cluster: clusterKey, namespace, name }: TargetRef,
  pending: PendingRestart,
  budget: TimeBudget,
): Promise<NudgeOutcome> {
  const annotation = nudgedFor(name);
  const pods = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const nudge = async (podName: string): Promise<string | undefined> => {
    try {
      const path = `${pods}/${encodeURIComponent(podName)}`;
      const body = { metadata: { annotations: { [annotation]: pending.versionId } } };
      await cluster.callObject(
        { method: "PATCH", path, query: { fieldManager: READERS_FIELD_MANAGER }, body },
        budget,
      );
      return undefined;
    } catch (error) {
      return codeOf(error);
    }
  };
  try {
    const select = (pod: unknown) => nameIfDue(pod as RawObject, name, pending, annotation);
    const request = { clusterKey, path: pods, limit: PODS_PER_PAGE, keptMax: PODS_DUE_MAX, select };
    const due = await listObjects(cluster, request, budget);
    const codes = await Promise.all(due.slice(0, PODS_NUDGED_MAX).map(nudge));
    const failures = codes.filter((code) => code !== undefined);
    const left = Math.max(0, due.length - PODS_NUDGED_MAX);
    const nudged = codes.length - failures.length;
    return { nudged, failed: failures.length, left, ...(failures[0] && { code: failures[0] }) };
  } catch (error) {
    return { nudged: 0, failed: 0, left: 0, code: codeOf(error) };
  }
}

function nameIfDue(
  { metadata = {}, spec, status }: RawObject,
  name: string,
  pending: PendingRestart,
  annotation: string,
): string | undefined {
  const isBeingDeleted = metadata.deletionTimestamp !== undefined;
  const isYounger = Date.parse(metadata.creationTimestamp ?? "") > pending.changedAt;
  const nudgedVersion = metadata.annotations?.[annotation];
  // A Pod that waits for the Secret reads it when it starts. A running Pod has an older copy, or none.
  const isWaiting = pending.isFirst && nudgedVersion === undefined && status?.phase !== "Running";
  const isNudged = nudgedVersion === pending.versionId;
  const isDue = !isBeingDeleted && !isYounger && !isWaiting && !isNudged && mountsSecret(spec, name);
  return isDue ? metadata.name : undefined;
}

const codeOf = (error: unknown): string =>
  (error instanceof RelayError ? error : UnexpectedFault.from(error)).code;

/** A Pod with its managedFields is 5 to 20 kB. */
const PODS_PER_PAGE = 200;
const PODS_DUE_MAX = 20_000;
const PODS_NUDGED_MAX = 200;
