import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { ClusterAnswerTooLarge } from "../cluster/errors.ts";
import { RelayError } from "../relay-error.ts";

/**
 * A connection that stops calling a cluster after several failed calls in a row, each with its retries: a shard calls a
 * cluster that is down a few times, not once per Secret. Every later call fails with the last error, so that all further
 * targets are reported as unknown.
 */
export function circuitBreaker(cluster: ClusterConnection): ClusterConnection {
  let faultsInARow = 0;
  let lastFault: RelayError | undefined;
  const guard = async <T>(call: () => Promise<T>): Promise<T> => {
    if (lastFault !== undefined && faultsInARow >= FAULTS_IN_A_ROW_MAX) throw lastFault;
    try {
      const result = await call();
      faultsInARow = 0;
      return result;
    } catch (error) {
      const isFault =
        error instanceof RelayError &&
        isKnownClusterFault(error.code) &&
        !(error instanceof ClusterAnswerTooLarge); // a client that can write in three namespaces could cause it

      faultsInARow = isFault ? faultsInARow + 1 : 0; // a refusal shows that the cluster works
      if (isFault) lastFault = error;
      throw error;
    }
  };
  return {
    readSecret: (secret, budget) => guard(() => cluster.readSecret(secret, budget)),
    applySecret: (body, how, budget) => guard(() => cluster.applySecret(body, how, budget)),
    patchMetadata: (secret, patch, budget) => guard(() => cluster.patchMetadata(secret, patch, budget)),
    readMetadata: (secret, budget) => guard(() => cluster.readMetadata(secret, budget)),
    listMetadata: (...args) => guard(() => cluster.listMetadata(...args)),
    deleteSecret: (secret, only, budget) => guard(() => cluster.deleteSecret(secret, only, budget)),
    callObject: (request, budget) => guard(() => cluster.callObject(request, budget)),
  };
}

// A call fails after four attempts. If every fifth request fails at random, three calls in a row fail once in 2 * 10^8.
const FAULTS_IN_A_ROW_MAX = 3;

/** Whether the code concerns a whole cluster, not one of its Secrets. */
export function isKnownClusterFault(code: string): boolean {
  return CLUSTER_FAULTS.has(code);
}

const CLUSTER_FAULTS: ReadonlySet<string> = new Set([
  "CLUSTER_LISTED_TWICE",
  "CLUSTER_LOOKUP_FAILED",
  "CLUSTER_LOOKUP_FORBIDDEN",
  "CLUSTER_NOT_FOUND",
  "CLUSTER_REJECTED",
  "CLUSTER_THROTTLED",
  "CLUSTER_TOKEN_REFUSED",
  "CLUSTER_UNAVAILABLE",
  "CLUSTER_UNTRUSTED",
  "CREDENTIALS_UNAVAILABLE",
  "EKS_TOKEN_TOO_LARGE",
  "ROLE_NOT_ASSUMED",
]);
