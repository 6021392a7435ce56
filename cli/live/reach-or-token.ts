import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import type { Cli } from "../cli.ts";
import { openAwsSession } from "./aws-session.ts";
import { ClusterUnreached } from "./errors.ts";
import type { LiveOptions } from "./options.ts";
import { type ReachedClusters, reachClusters } from "./reach-clusters.ts";

/** The clusters for a command that wants nothing else of AWS: it logs in there only where no context leads. */
export async function reachOrToken(
  cli: Cli,
  options: LiveOptions,
  bindings: CompiledBindings,
): Promise<ReachedClusters> {
  const listeners = { onRequest: () => {}, onThrottled: () => {} };
  const byContext = await reachClusters(cli, options, bindings, { aws: undefined, listeners });
  try {
    for (const clusterKey of Object.keys(bindings.clusters)) byContext.wayTo(clusterKey);
    return byContext;
  } catch (error) {
    if (!(error instanceof ClusterUnreached)) throw error;
    return reachClusters(cli, options, bindings, { aws: await openAwsSession(options), listeners });
  }
}
