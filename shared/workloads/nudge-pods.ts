import type { TargetRef } from "../bindings/binding.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { listObjects, type ReaderCluster } from "./list-objects.ts";
import type { Notice } from "./notice.ts";
import type { NudgeOutcome } from "./outcome.ts";
import { nudgedFor, READERS_FIELD_MANAGER } from "./stamps.ts";
import { mountsSecret } from "./uses-secret.ts";
import type { RawObject } from "./workload.ts";

/**
 * Annotates the Pods that mount the Secret, so that their kubelets look at it now and not at their next round. Only a
 * hint: without it the file follows within a minute or two, so a nudge that fails is told and never tried again.
 */
export async function nudgePods(
  cluster: ReaderCluster,
  { namespace, name }: TargetRef,
  notice: Notice,
  budget: TimeBudget,
): Promise<NudgeOutcome> {
  const stamp = nudgedFor(name);
  const pods = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const nudge = async (pod: RawObject): Promise<string | undefined> => {
    try {
      const path = `${pods}/${encodeURIComponent(pod.metadata?.name ?? "")}`;
      const body = { metadata: { annotations: { [stamp]: notice.versionId } } };
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
    const seen = await listObjects(cluster, pods, budget, PODS_SEEN_MAX);
    const due = seen.filter((pod) => isToBeTold(pod, name, notice, stamp));
    const codes = await Promise.all(due.slice(0, PODS_NUDGED_MAX).map(nudge));
    const failures = codes.filter((code) => code !== undefined);
    const left = Math.max(0, due.length - PODS_NUDGED_MAX);
    const nudged = codes.length - failures.length;
    return { nudged, failed: failures.length, left, ...(failures[0] && { code: failures[0] }) };
  } catch (error) {
    return { nudged: 0, failed: 0, left: 0, code: codeOf(error) };
  }
}

function isToBeTold(
  { metadata = {}, spec, status }: RawObject,
  name: string,
  notice: Notice,
  stamp: string,
): boolean {
  const isGoing = metadata.deletionTimestamp !== undefined;
  const isYounger = Date.parse(metadata.creationTimestamp ?? "") > notice.changedAt;
  const toldOf = metadata.annotations?.[stamp];
  // Pods that wait for a Secret to be created read it when they start. One that runs has an older copy of it, or none.
  const isWaiting = notice.isFirst && toldOf === undefined && status?.phase !== "Running";
  const isTold = toldOf === notice.versionId;
  return !isGoing && !isYounger && !isWaiting && !isTold && mountsSecret(spec, name);
}

const codeOf = (error: unknown): string =>
  (error instanceof RelayError ? error : UnexpectedFault.from(error)).code;

const PODS_SEEN_MAX = 2_000;
const PODS_NUDGED_MAX = 200;
