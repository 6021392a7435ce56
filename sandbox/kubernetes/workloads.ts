import { type Fields, fieldsOf, type KubernetesObject } from "./object.ts";
import type { TableColumn } from "./resources.ts";
import type { Store } from "./store.ts";

/** The defaults that `kubectl rollout status` looks at. */
export const deploymentDefaults = (workload: Fields): Fields =>
  withSpec(workload, { replicas: 1, strategy: ROLLING });
export const statefulSetDefaults = (workload: Fields): Fields =>
  withSpec(workload, { replicas: 1, updateStrategy: ROLLING });
export const daemonSetDefaults = (workload: Fields): Fields =>
  withSpec(workload, { updateStrategy: ROLLING });

export const DEPLOYMENT_COLUMNS: TableColumn[] = [
  {
    name: "Ready",
    type: "string",
    description: "Number of the pod with ready state",
    cell: ({ spec, status }) => `${countOf(status, "readyReplicas")}/${countOf(spec, "replicas")}`,
  },
  {
    name: "Up-to-date",
    type: "integer",
    description:
      "Total number of non-terminating pods targeted by this deployment that have the desired template spec.",
    cell: ({ status }) => countOf(status, "updatedReplicas"),
  },
  {
    name: "Available",
    type: "integer",
    description:
      "Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.",
    cell: ({ status }) => countOf(status, "availableReplicas"),
  },
];

/** Plays the controllers of apps/v1 without a single pod: whatever changes is rolled out at once. */
export function startRollouts(store: Store): () => void {
  return store.watch(store.revision, ({ type, resource, object }) => {
    if (resource.group !== "apps" || type === "DELETED") return;
    const { namespace, name = "" } = object.metadata;
    // After this write has been announced to everybody: nobody may hear of the second one first.
    queueMicrotask(() => {
      const live = store.find(resource, namespace, name);
      const { generation } = live?.metadata ?? {};
      if (!live || fieldsOf(live.status).observedGeneration === generation) return;
      store.put(resource, { ...live, status: rolledOut(live) });
    });
  });
}

const ROLLING = { type: "RollingUpdate" };

const withSpec = (workload: Fields, defaults: Fields): Fields => ({
  ...workload,
  spec: { ...defaults, ...fieldsOf(workload.spec) },
});

const countOf = (fields: unknown, field: string): number => Number(fieldsOf(fields)[field] ?? 0);

function rolledOut({ kind, metadata, spec }: KubernetesObject): Fields {
  const observedGeneration = metadata.generation;
  if (kind === "DaemonSet") {
    const fields = ["desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled"];
    const all = [...fields, "numberReady", "numberAvailable"].map((field) => [field, 1]);
    return { observedGeneration, ...Object.fromEntries(all) };
  }
  const replicas = countOf(spec, "replicas");
  const revision = `${metadata.name}-${metadata.generation}`;
  return {
    observedGeneration,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    ...(kind === "StatefulSet" && { currentRevision: revision, updateRevision: revision }),
  };
}
