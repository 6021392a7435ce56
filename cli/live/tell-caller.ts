import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden, ClusterTokenRefused } from "../../shared/cluster/errors.ts";
import { CallerForbidden, ClusterLoginRefused } from "./errors.ts";

/** The same connection, whose refusals speak to the person at the command line instead of to the relay's owner. */
export function tellCaller(
  connection: ClusterConnection,
  { clusterKey, cluster, as }: { clusterKey: string; cluster: ClusterConfig; as: string },
): ClusterConnection {
  const inTheirWords = (error: unknown): never => {
    if (error instanceof ClusterTokenRefused) throw new ClusterLoginRefused(clusterKey, as, cluster);
    throw error instanceof ClusterForbidden ? new CallerForbidden(clusterKey, as, error) : error;
  };
  return {
    readSecret: (...args) => connection.readSecret(...args).catch(inTheirWords),
    applySecret: (...args) => connection.applySecret(...args).catch(inTheirWords),
    readMetadata: (...args) => connection.readMetadata(...args).catch(inTheirWords),
    listMetadata: (...args) => connection.listMetadata(...args).catch(inTheirWords),
    deleteSecret: (...args) => connection.deleteSecret(...args).catch(inTheirWords),
    callObject: (...args) => connection.callObject(...args).catch(inTheirWords),
  };
}
