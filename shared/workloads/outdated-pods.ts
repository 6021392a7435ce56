import { readsAtStart } from "./uses-secret.ts";
import type { RawMetadata, RawObject } from "./workload.ts";

/** A Pod with a container that started before the Secret got its current data, and read it then. */
export type OutdatedPod = {
  readonly pod: string;
  /** `Deployment/shop`, or the Pod's own controller; absent for a Pod without one. */
  readonly workload?: string;
  readonly containers: readonly string[];
  /** ISO 8601: when the oldest of these containers started. */
  readonly startedAt: string;
};

export type PodsCheck = {
  /** At most 20; `outdatedPodCount` counts all. */
  readonly outdatedPods?: readonly OutdatedPod[];
  readonly outdatedPodCount?: number;
  /** Why the Pods could not be listed. */
  readonly podsUnknown?: string;
};

/**
 * Pure. `changedAt`: when the data of the Secret last changed, ms since the epoch.
 *
 * A container reads environment variables and subPath mounts when it starts. Other mounts follow by themselves. A
 * container that does not run reads the Secret when it starts.
 */
export function outdatedPod(
  { metadata = {}, spec, status = {} }: RawObject,
  secretName: string,
  changedAt: number,
): OutdatedPod | undefined {
  if (metadata.deletionTimestamp !== undefined || metadata.name === undefined) return undefined;
  const statuses = [...listOf(status.containerStatuses), ...listOf(status.initContainerStatuses)];
  const old = readsAtStart(spec, secretName).flatMap((container) => {
    const startedAt = statuses.find(({ name }) => name === container)?.state?.running?.startedAt;
    const isOld = Date.parse(startedAt ?? "") < changedAt - CLOCK_TOLERANCE_MS;
    return startedAt !== undefined && isOld
      ? [{ container, startedAt: new Date(startedAt).toISOString() }]
      : [];
  });
  const [first = ""] = old.map(({ startedAt }) => startedAt).sort();
  if (old.length === 0) return undefined;
  const workload = workloadOfPod(metadata);
  return {
    pod: metadata.name,
    ...(workload !== undefined && { workload }),
    containers: old.map(({ container }) => container),
    startedAt: first,
  };
}

/**
 * A node's clock and the relay's may differ, and startedAt has whole seconds. A container that started within these
 * seconds before the change is not reported: a report that never clears would be worse.
 */
const CLOCK_TOLERANCE_MS = 5_000;

/** A Deployment owns its Pods through a ReplicaSet that has the Deployment's name and the hash of the template. */
export function workloadOfPod({ ownerReferences, labels }: RawMetadata): string | undefined {
  const { kind, name = "" } = listOf(ownerReferences).find(({ controller }) => controller === true) ?? {};
  if (kind === undefined) return undefined;
  const [deployment, rollout] = ["pod-template-hash", "rollouts-pod-template-hash"].map(
    (key) => labels?.[key],
  );
  if (kind === "ReplicaSet" && rollout !== undefined && name.endsWith(`-${rollout}`))
    return `Rollout/${name.slice(0, -rollout.length - 1)}`;
  if (kind === "ReplicaSet" && deployment !== undefined && name.endsWith(`-${deployment}`))
    return `Deployment/${name.slice(0, -deployment.length - 1)}`;
  return `${kind}/${name}`;
}

const listOf = <T>(value: readonly T[] | undefined): readonly T[] => (Array.isArray(value) ? value : []);
