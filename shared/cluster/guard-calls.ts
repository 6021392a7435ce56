import type { CallBudget } from "./call-budget.ts";
import type { ClusterConnection } from "./cluster-connection.ts";

export type GuardedCall = {
  /** Empty for objects without a namespace. */
  readonly namespace: string;
  /** As in the URL, such as `secrets`. */
  readonly resource: string;
  readonly isWrite: boolean;
};

/** Decides whether and how a call is made; may pass on another budget. */
export type Guard = <T>(
  call: GuardedCall,
  budget: CallBudget,
  run: (budget: CallBudget) => Promise<T>,
) => Promise<T>;

/** The same connection, with a guard around each call. */
export function guardCalls(cluster: ClusterConnection, guard: Guard): ClusterConnection {
  const read = (namespace: string): GuardedCall => ({ namespace, resource: "secrets", isWrite: false });
  const write = (namespace: string): GuardedCall => ({ namespace, resource: "secrets", isWrite: true });
  return {
    readSecret: (secret, budget) =>
      guard(read(secret.namespace), budget, (own) => cluster.readSecret(secret, own)),
    readMetadata: (secret, budget) =>
      guard(read(secret.namespace), budget, (own) => cluster.readMetadata(secret, own)),
    listMetadata: (namespace, labelSelector, budget, keep) =>
      guard(read(namespace), budget, (own) => cluster.listMetadata(namespace, labelSelector, own, keep)),
    applySecret: (body, how, budget) =>
      guard(write(body.metadata?.namespace ?? ""), budget, (own) => cluster.applySecret(body, how, own)),
    patchMetadata: (secret, patch, budget) =>
      guard(write(secret.namespace), budget, (own) => cluster.patchMetadata(secret, patch, own)),
    deleteSecret: (secret, only, budget) =>
      guard(write(secret.namespace), budget, (own) => cluster.deleteSecret(secret, only, own)),
    callObject: (request, budget) => {
      const [, namespace = "", resource = ""] = NAMESPACED_PATH.exec(request.path) ?? [];
      const call = { namespace, resource, isWrite: request.method !== "GET" };
      return guard(call, budget, (own) => cluster.callObject(request, own));
    },
  };
}

const NAMESPACED_PATH = /\/namespaces\/([^/]+)\/([^/?]+)/;
