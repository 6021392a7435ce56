import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import { type ClusterConnection, connectCluster } from "../../shared/cluster/cluster-connection.ts";
import type { Kubeconfig } from "../kubeconfig/load-kubeconfig.ts";
import type { KubeContext } from "./choose-context.ts";

/** Connects a cluster as the functions do, with the login of a kubeconfig context. */
export function connectContext(
  kubeconfig: Kubeconfig,
  context: KubeContext,
  options: {
    readonly clusterKey: string;
    readonly cluster: ClusterConfig;
    readonly connectionsMax: number;
    readonly onRequest: () => void;
    readonly onThrottled: () => void;
  },
): ClusterConnection {
  return connectCluster({
    ...options,
    directory: {
      find: async () => (await kubeconfig.login(context)).endpoint,
      forget: () => {}, // the endpoint comes from the kubeconfig alone
    },
    tokens: {
      bearerFor: async () => (await kubeconfig.login(context)).bearer,
      forget: (_cluster, refusedBearer) => kubeconfig.forget(context, refusedBearer),
    },
  });
}
