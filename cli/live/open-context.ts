import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { loadKubeconfig } from "../kubeconfig/load-kubeconfig.ts";
import type { KubeContext } from "./choose-context.ts";
import { NO_LISTENERS } from "./connect-bound-clusters.ts";
import { connectContext } from "./connect-context.ts";
import type { ClusterOptions } from "./options.ts";
import { withCallerErrors } from "./with-caller-errors.ts";

/** Connects the cluster of the given or the current kubeconfig context, for a command without bindings. */
export async function openContext(
  cli: Cli,
  { context: named, kubeconfig: file, eksToken }: Pick<ClusterOptions, "context" | "kubeconfig" | "eksToken">,
): Promise<{ readonly connection: ClusterConnection; readonly context: KubeContext }> {
  if (eksToken === true) {
    throw new UsageError(
      "--eks-token needs bindings that name the cluster. Use a kubeconfig context instead.",
    );
  }
  const kubeconfig = await loadKubeconfig(cli, file);
  const name = named ?? kubeconfig.currentContext;
  if (name === undefined)
    throw new UsageError("The kubeconfig has no current context. Select one with --context.");
  const context = kubeconfig.get(name);
  const cluster = { name: context.name, region: "" };
  const connection = connectContext(kubeconfig, context, {
    clusterKey: context.name,
    cluster,
    connectionsMax: 4,
    ...NO_LISTENERS,
  });
  const as = `kubeconfig context ${context.name}`;
  return { connection: withCallerErrors(connection, { clusterKey: context.name, cluster, as }), context };
}
