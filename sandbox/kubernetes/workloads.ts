import { type Fields, fieldsOf } from "./object.ts";
import type { TableColumn } from "./table-column.ts";

/** The defaults that `kubectl rollout status` reads. */
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

const ROLLING = { type: "RollingUpdate" };

const withSpec = (workload: Fields, defaults: Fields): Fields => ({
  ...workload,
  spec: { ...defaults, ...fieldsOf(workload.spec) },
});

export const countOf = (fields: unknown, field: string): number => Number(fieldsOf(fields)[field] ?? 0);
