import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import {
  ClusterAnswerTooLarge,
  ClusterForbidden,
  ClusterTokenRefused,
  ClusterUnavailable,
} from "../../shared/cluster/errors.ts";
import { CallerForbidden, CallerUnknown } from "./errors.ts";

/** The same connection, with errors that address the caller of the command instead of the owner of the relay. */
export function withCallerErrors(
  connection: ClusterConnection,
  { clusterKey, cluster, as }: { clusterKey: string; cluster: ClusterConfig; as: string },
): ClusterConnection {
  const forCaller = (error: unknown): never => {
    if (error instanceof ClusterTokenRefused) throw new CallerUnknown(clusterKey, as, cluster);
    // A list that is too large does not depend on the caller, and a sweep then reads one by one.
    if (error instanceof ClusterAnswerTooLarge) throw error;
    if (error instanceof ClusterUnavailable) throw new ClusterUnavailable(clusterKey, error.at, HERE);
    throw error instanceof ClusterForbidden ? new CallerForbidden(clusterKey, as, error) : error;
  };
  return {
    readSecret: (...args) => connection.readSecret(...args).catch(forCaller),
    applySecret: (...args) => connection.applySecret(...args).catch(forCaller),
    readMetadata: (...args) => connection.readMetadata(...args).catch(forCaller),
    listMetadata: (...args) => connection.listMetadata(...args).catch(forCaller),
    deleteSecret: (...args) => connection.deleteSecret(...args).catch(forCaller),
    patchMetadata: (...args) => connection.patchMetadata(...args).catch(forCaller),
    callObject: (...args) => connection.callObject(...args).catch(forCaller),
  };
}

/** The functions may reach a private endpoint that this machine cannot. */
const HERE =
  "this machine (a private endpoint needs network access to its VPC, or --via-lambda if the command has it)";
