import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import type { KubeContext } from "./choose-context.ts";
import { connectContext } from "./connect-context.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import type { LiveOptions } from "./options.ts";
import { tellCaller } from "./tell-caller.ts";

/** The cluster of a kubeconfig context, the named or the current one: for a command that has no bindings yet. */
export async function openContext(
  cli: Cli,
  { context: named, kubeconfig: file, eksToken }: Pick<LiveOptions, "context" | "kubeconfig" | "eksToken">,
): Promise<{ readonly connection: ClusterConnection; readonly context: KubeContext }> {
  if (eksToken === true) {
    throw new UsageError(
      "--eks-token needs bindings that name the cluster. Without them, use a kubeconfig context.",
    );
  }
  const kubeconfig = await loadKubeconfig(cli, file);
  const name = named ?? kubeconfig.currentContext;
  if (name === undefined)
    throw new UsageError("The kubeconfig has no current context. Name one with --context.");
  const context = kubeconfig.get(name);
  const cluster = { name: context.name, region: "" };
  const connection = connectContext(kubeconfig, context, {
    clusterKey: context.name,
    cluster,
    connectionsMax: 4,
    onRequest: () => {},
    onThrottled: () => {},
  });
  const as = `kubeconfig context ${context.name}`;
  return { connection: tellCaller(connection, { clusterKey: context.name, cluster, as }), context };
}
