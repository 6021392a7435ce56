import type { WorkloadKind, WorkloadRef } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";

export type ReaderCluster = Pick<ClusterConnection, "callObject" | "readMetadata">;

/** The fields that the relay reads of an object from the API server. */
export type RawObject = {
  readonly kind?: string;
  readonly metadata?: RawMetadata;
  readonly spec?: RawSpec;
  readonly status?: RawStatus;
};

/** Counts and times as the API server sends them; `rolloutStatus` checks them. */
export type RawStatus = {
  /** Of a Pod or a Rollout. */
  readonly phase?: string;
  readonly observedGeneration?: unknown;
  readonly replicas?: unknown;
  readonly updatedReplicas?: unknown;
  readonly readyReplicas?: unknown;
  readonly availableReplicas?: unknown;
  readonly desiredNumberScheduled?: unknown;
  readonly updatedNumberScheduled?: unknown;
  readonly numberAvailable?: unknown;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
  /** Of a Rollout. */
  readonly restartedAt?: string;
  readonly conditions?: readonly {
    readonly type?: string;
    readonly status?: string;
    readonly reason?: unknown;
    readonly lastUpdateTime?: string;
  }[];
  /** Of a Pod. */
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
};

type ContainerStatus = {
  readonly name?: string;
  readonly state?: {
    readonly running?: { readonly startedAt?: string };
    readonly waiting?: { readonly reason?: unknown };
  };
};

export type RawMetadata = {
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: unknown;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly {
    readonly kind?: string;
    readonly name?: string;
    readonly controller?: boolean;
  }[];
};

/** The fields of RawObject only: managedFields and the rest of a list's objects would fill the memory. */
export const slimWorkload = ({ metadata = {}, spec = {}, status = {} }: RawObject): RawObject => ({
  metadata: pick(metadata, METADATA_FIELDS),
  spec: pick(spec, SPEC_FIELDS),
  status: pick(status, STATUS_FIELDS),
});

function pick<T extends object>(fields: T, names: readonly (keyof T)[]): T {
  const found = names.filter((name) => fields[name] !== undefined);
  return Object.fromEntries(found.map((name) => [name, fields[name]])) as T;
}

const METADATA_FIELDS = [
  "name",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "annotations",
] as const satisfies readonly (keyof RawMetadata)[];

const SPEC_FIELDS = [
  "paused",
  "replicas",
  "restartAt",
  "template",
  "updateStrategy",
  "workloadRef",
] as const satisfies readonly (keyof RawSpec)[];

const STATUS_FIELDS = [
  "phase",
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "desiredNumberScheduled",
  "updatedNumberScheduled",
  "numberAvailable",
  "currentRevision",
  "updateRevision",
  "restartedAt",
  "conditions",
] as const satisfies readonly (keyof RawStatus)[];

type RawSpec = {
  readonly paused?: boolean;
  readonly template?: { readonly metadata?: RawMetadata; readonly spec?: unknown };
  readonly replicas?: unknown;
  /** Of a Rollout. */
  readonly restartAt?: string;
  readonly updateStrategy?: {
    readonly type?: string;
    readonly rollingUpdate?: { readonly partition?: unknown };
  };
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
