import type { TargetRef } from "../bindings/binding.ts";
import { listObjects } from "../cluster/list-objects.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { RestartOutcome } from "./outcome.ts";
import { workloadOfPod } from "./outdated-pods.ts";
import type { PendingRestart } from "./pending-restart.ts";
import { restartedFor } from "./restart-annotations.ts";
import type { RawObject, ReaderCluster } from "./workload.ts";

type Reading = {
  readonly target: TargetRef;
  readonly pending: PendingRestart;
  readonly budget: TimeBudget;
};

type Restarts = { readonly restarts: readonly RestartOutcome[]; readonly podsUnknown?: string };

/**
 * Adds to each stuck rollout why its new pods do not start. Without a stuck rollout it makes no call. Otherwise it
 * costs one list of the Pods of the namespace.
 */
export async function withPodReasons(
  cluster: Pick<ReaderCluster, "callObject">,
  { target, pending, budget }: Reading,
  restarts: readonly RestartOutcome[],
): Promise<Restarts> {
  const stuck = new Set(restarts.filter(isStuck).map(({ workload }) => workload));
  if (stuck.size === 0) return { restarts };
  const select = (object: unknown): PodReason | undefined => {
    const pod = object as RawObject;
    const workload = workloadOfPod(pod.metadata ?? {}) ?? "";
    const reason = stuck.has(workload) && isNewPod(workload, pod, target.name, pending) && waitingReason(pod);
    return reason ? { workload, reason } : undefined;
  };
  const path = `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods`;
  const request = { clusterKey: target.cluster, path, limit: PODS_PER_PAGE, keptMax: PODS_MAX, select };
  try {
    const found = await listObjects(cluster, request, budget);
    return { restarts: restarts.map((restart) => addReasons(restart, found)) };
  } catch (error) {
    const { code } = error instanceof RelayError ? error : UnexpectedFault.from(error);
    return { restarts, podsUnknown: code };
  }
}

type PodReason = { readonly workload: string; readonly reason: string };

const isStuck = ({ rollout }: RestartOutcome): boolean => rollout?.state === "stuck";

/** The pods of a Rollout do not carry the version: it is restarted without a change of its template. */
function isNewPod(
  workload: string,
  { metadata = {} }: RawObject,
  secretName: string,
  { versionId }: PendingRestart,
): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return workload.startsWith("Rollout/") || metadata.annotations?.[restartedFor(secretName)] === versionId;
}

/**
 * Why a container of the Pod does not run, in a word of the kubelet. Undefined for any other text: a reason is a string
 * that a container runtime or another controller may set. The message beside it is never read. Pure.
 */
export function waitingReason({ status = {} }: RawObject): string | undefined {
  const statuses = [status.initContainerStatuses, status.containerStatuses].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  const reasons = statuses.map((container) => container?.state?.waiting?.reason);
  return reasons.find((reason) => typeof reason === "string" && KUBELET_REASONS.has(reason)) as
    | string
    | undefined;
}

/** kubernetes/kubernetes, pkg/kubelet: images/types.go, container/sync_result.go and others. */
const KUBELET_REASONS: ReadonlySet<string> = new Set([
  "ConfigPodSandboxError",
  "ContainerCreating",
  "CrashLoopBackOff",
  "CreateContainerConfigError",
  "CreateContainerError",
  "CreatePodSandboxError",
  "ErrImageNeverPull",
  "ErrImagePull",
  "ImageInspectError",
  "ImagePullBackOff",
  "InvalidImageName",
  "PostStartHookError",
  "PreCreateHookError",
  "PreStartHookError",
  "RegistryUnavailable",
  "RunContainerError",
  "RunInitContainerError",
  "SignatureValidationFailed",
  "VerifyNonRootError",
]);

/** The most frequent reason first. */
function addReasons(restart: RestartOutcome, found: readonly PodReason[]): RestartOutcome {
  const { workload, rollout } = restart;
  const own = found.filter((each) => each.workload === workload);
  if (rollout?.state !== "stuck" || own.length === 0) return restart;
  const groups = [...Map.groupBy(own, ({ reason }) => reason)];
  const podReasons = groups
    .toSorted(([a, one], [b, other]) => other.length - one.length || a.localeCompare(b))
    .map(([reason]) => reason);
  return { ...restart, rollout: { ...rollout, podReasons } };
}

/** A Pod with its managedFields is 5 to 20 kB. */
const PODS_PER_PAGE = 200;
/** What is kept of a Pod is two words. */
const PODS_MAX = 20_000;
