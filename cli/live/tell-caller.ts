import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden, ClusterTokenRefused, ClusterUnavailable } from "../../shared/cluster/errors.ts";
import { CallerForbidden, CallerUnknown } from "./errors.ts";

/** The same connection, whose refusals speak to the person at the command line instead of to the relay's owner. */
export function tellCaller(
  connection: ClusterConnection,
  { clusterKey, cluster, as }: { clusterKey: string; cluster: ClusterConfig; as: string },
): ClusterConnection {
  const inTheirWords = (error: unknown): never => {
    if (error instanceof ClusterTokenRefused) throw new CallerUnknown(clusterKey, as, cluster);
    if (error instanceof ClusterUnavailable) throw new ClusterUnavailable(clusterKey, error.at, HERE);
    throw error instanceof ClusterForbidden ? new CallerForbidden(clusterKey, as, error) : error;
  };
  return {
    readSecret: (...args) => connection.readSecret(...args).catch(inTheirWords),
    applySecret: (...args) => connection.applySecret(...args).catch(inTheirWords),
    readMetadata: (...args) => connection.readMetadata(...args).catch(inTheirWords),
    listMetadata: (...args) => connection.listMetadata(...args).catch(inTheirWords),
    deleteSecret: (...args) => connection.deleteSecret(...args).catch(inTheirWords),
    patchMetadata: (...args) => connection.patchMetadata(...args).catch(inTheirWords),
    callObject: (...args) => connection.callObject(...args).catch(inTheirWords),
  };
}

/** Where a private endpoint cannot be reached, the function may reach it. */
const HERE = "here (a private one needs its network, or --via-lambda where the command has it)";
