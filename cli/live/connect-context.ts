import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import { type ClusterConnection, connectCluster } from "../../shared/cluster/cluster-connection.ts";
import type { KubeContext } from "./choose-context.ts";
import type { Kubeconfig } from "./kubeconfig.ts";

export type ConnectContextOptions = {
  readonly clusterKey: string;
  readonly cluster: ClusterConfig;
  readonly connectionsMax: number;
  readonly onRequest: () => void;
  readonly onThrottled: () => void;
};

/** A cluster by a kubeconfig context: the same connection as the functions', with another login. */
export function connectContext(
  kubeconfig: Kubeconfig,
  context: KubeContext,
  options: ConnectContextOptions,
): ClusterConnection {
  return connectCluster({
    ...options,
    directory: {
      find: async () => (await kubeconfig.login(context)).endpoint,
      forget: () => {}, // a kubeconfig says where its cluster is, and nothing else does
    },
    tokens: {
      bearerFor: async () => (await kubeconfig.login(context)).bearer,
      forget: (_cluster, refusedBearer) => kubeconfig.forget(context, refusedBearer),
    },
  });
}
