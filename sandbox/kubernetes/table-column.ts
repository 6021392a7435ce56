import type { KubernetesObject } from "./object.ts";

/** A column of the table that `kubectl get` prints. */
export type TableColumn = {
  name: string;
  type: string;
  description: string;
  cell: (object: KubernetesObject, now: Date) => unknown;
};
