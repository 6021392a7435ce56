import type { WorkloadKind, WorkloadRef } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";

export type ReaderCluster = Pick<ClusterConnection, "callObject" | "readMetadata">;

/** The fields that the relay reads of an object from the API server. */
export type RawObject = {
  readonly kind?: string;
  readonly metadata?: RawMetadata;
  readonly spec?: RawSpec;
  /** Of a Pod. */
  readonly status?: { readonly phase?: string };
};

export type RawMetadata = {
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** The fields of RawObject only: managedFields and the status of a list's objects would fill the memory. */
export function slimWorkload({ metadata = {}, spec = {} }: RawObject): RawObject {
  const { name, uid, resourceVersion, creationTimestamp, deletionTimestamp, annotations } = metadata;
  const { paused, template, updateStrategy, workloadRef } = spec;
  const times = {
    ...(creationTimestamp && { creationTimestamp }),
    ...(deletionTimestamp && { deletionTimestamp }),
  };
  const identity = {
    ...(name && { name }),
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
  };
  return {
    metadata: { ...identity, ...times, ...(annotations && { annotations }) },
    spec: {
      ...(paused !== undefined && { paused }),
      ...(template && { template }),
      ...(updateStrategy && { updateStrategy }),
      ...(workloadRef && { workloadRef }),
    },
  };
}

type RawSpec = {
  readonly paused?: boolean;
  readonly template?: { readonly metadata?: RawMetadata; readonly spec?: unknown };
  readonly updateStrategy?: { readonly type?: string };
  /** Of a Rollout: the workload whose pod template it uses. */
  readonly workloadRef?: { readonly kind?: string; readonly name?: string };
};

export const WORKLOAD_KINDS: readonly WorkloadKind[] = ["Deployment", "StatefulSet", "DaemonSet", "Rollout"];

export function pathOfKind(kind: WorkloadKind, namespace: string): string {
  const [group, resource] = RESOURCES[kind];
  return `/apis/${group}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

export function pathOfWorkload({ kind, name }: WorkloadRef, namespace: string): string {
  return `${pathOfKind(kind, namespace)}/${encodeURIComponent(name)}`;
}

/** The resource as named in RBAC rules. */
export function resourceOfKind(kind: WorkloadKind): { apiGroup: string; resource: string } {
  const [groupVersion, resource] = RESOURCES[kind];
  return { apiGroup: groupVersion.replace(/\/.*/, ""), resource };
}

export const nameOfWorkload = ({ kind, name }: WorkloadRef): string => `${kind}/${name}`;

const RESOURCES: Readonly<Record<WorkloadKind, readonly [group: string, resource: string]>> = {
  Deployment: ["apps/v1", "deployments"],
  StatefulSet: ["apps/v1", "statefulsets"],
  DaemonSet: ["apps/v1", "daemonsets"],
  Rollout: ["argoproj.io/v1alpha1", "rollouts"],
};
