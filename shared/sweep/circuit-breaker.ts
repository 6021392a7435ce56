import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { ClusterAnswerTooLarge } from "../cluster/errors.ts";
import { RelayError } from "../relay-error.ts";
import { isKnownClusterFault } from "./cluster-fault.ts";

/**
 * A connection that asks no more once a cluster has failed several calls in a row, each of which was tried again
 * already: a cluster that is down is asked a few times a shard, and not once a Secret. Every later call fails at once
 * with the last fault, so that everything that depends on it is reported as unknown.
 */
export function circuitBreaker(cluster: ClusterConnection): ClusterConnection {
  let faultsInARow = 0;
  let lastFault: RelayError | undefined;
  const ask = async <T>(call: () => Promise<T>): Promise<T> => {
    if (lastFault !== undefined && faultsInARow >= FAULTS_IN_A_ROW_MAX) throw lastFault;
    try {
      const answer = await call();
      faultsInARow = 0;
      return answer;
    } catch (error) {
      const isFault =
        error instanceof RelayError &&
        isKnownClusterFault(error.code) &&
        !(error instanceof ClusterAnswerTooLarge); // else who may write in three namespaces could hide the others'

      faultsInARow = isFault ? faultsInARow + 1 : 0; // a refusal is an answer too
      if (isFault) lastFault = error;
      throw error;
    }
  };
  return {
    readSecret: (secret, budget) => ask(() => cluster.readSecret(secret, budget)),
    applySecret: (body, how, budget) => ask(() => cluster.applySecret(body, how, budget)),
    patchMetadata: (secret, patch, budget) => ask(() => cluster.patchMetadata(secret, patch, budget)),
    readMetadata: (secret, budget) => ask(() => cluster.readMetadata(secret, budget)),
    listMetadata: (namespace, labelSelector, budget) =>
      ask(() => cluster.listMetadata(namespace, labelSelector, budget)),
    deleteSecret: (secret, only, budget) => ask(() => cluster.deleteSecret(secret, only, budget)),
    callObject: (request, budget) => ask(() => cluster.callObject(request, budget)),
  };
}

// A call fails after four tries: where every fifth request fails by chance, three calls in a row do so once in 2 * 10^8.
const FAULTS_IN_A_ROW_MAX = 3;
