import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type BindingIndex, indexOncePerHome } from "../bindings/binding-index.ts";
import { readCompiledBindings } from "../bindings/read-compiled-bindings.ts";
import { describeCluster as askEks, assumeRoleWith, type DescribeCluster } from "../cluster/aws-clients.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { connectClusters } from "../cluster/connect-clusters.ts";
import type { Log } from "../observability/log.ts";
import type { Measure } from "../observability/measure.ts";
import { RelayError } from "../relay-error.ts";
import { waitFor } from "../retry/retry.ts";
import type { SecretHome } from "../secret-id/secret-id.ts";
import { readCurrentWith } from "../source/read-current.ts";
import { type ClientFor, secretsManagerClients } from "../source/secrets-manager-clients.ts";
import type { SyncDependencies } from "../sync/sync-source.ts";
import type { RelayConfig } from "./relay-config.ts";
import type { Trigger } from "./trigger.ts";
import { warmUp } from "./warm-up.ts";

/** What is given to a function from outside, and what a test may replace. */
export type Surroundings = {
  readonly log: Log;
  readonly measure: Measure;
  readonly now?: () => number;
  readonly describeCluster?: DescribeCluster;
};

/** What every function works with. */
export type RelayParts = Omit<SyncDependencies, "connect"> & {
  readonly connect: (clusterKey: string) => ClusterConnection;
  /** The bindings, for a function that runs in that account and Region. */
  readonly bindingsFor: (self: SecretHome) => BindingIndex;
  readonly clientFor: ClientFor;
  /** Makes ESO refresh what reads a changed source, in the clusters whose entry wants it. */
  readonly trigger: Trigger;
  /** Does at the start what the first event would wait for. */
  readonly warmUp: () => Promise<void>;
  readonly log: Log;
  readonly measure: Measure;
};

export type CallListeners = {
  readonly onAwsCall?: () => void;
  readonly onKubernetesCall?: () => void;
  readonly onThrottled?: () => void;
};

/** Connects the parts with the real AWS and Kubernetes clients; done once per execution environment. */
export async function wireRelay(
  config: RelayConfig,
  { log, measure, now = Date.now, describeCluster = askEks }: Surroundings,
  { onAwsCall, onKubernetesCall, onThrottled }: CallListeners = {},
): Promise<RelayParts> {
  const compiled = await readCompiledBindings(config.bindingsFile);
  if (compiled.relay !== config.relayName) throw new RelayNameDiffers(compiled.relay, config.relayName);
  const clientFor = secretsManagerClients((options) => new SecretsManagerClient(options), {
    ...(onAwsCall && { onCall: onAwsCall }),
    ...(onThrottled && { onThrottled }),
  });
  const ownCredentials = clientFor(undefined).config.credentials;
  const connect = connectClusters(compiled.clusters, {
    ownCredentials,
    assumeRole: assumeRoleWith(ownCredentials),
    describeCluster,
    now,
    tokenLifeMs: config.tokenLifeMs,
    fips: config.useFipsEndpoint,
    connectionsMax: config.targetsAtOnce,
    onTokenMinted: () => measure("TokenRefreshes", 1),
    ...(onKubernetesCall && { onRequest: onKubernetesCall }),
    ...(onThrottled && { onThrottled }),
  });
  let trigger: Promise<Trigger> | undefined;
  return {
    bindingsFor: indexOncePerHome(compiled),
    clientFor,
    readCurrent: readCurrentWith(clientFor),
    connect,
    now,
    wait: waitFor,
    // Loaded when a binding wants it, so that nobody else pays for it at a cold start.
    followUp: async (settled, budget) => {
      const { followUp } = await import("./follow-up.ts");
      return followUp({ connect, now, wait: waitFor, log, measure }, settled, budget);
    },
    trigger: async (call, budget) => {
      trigger ??= import("./trigger.ts").then(({ triggerWith }) =>
        triggerWith({ connect, now, wait: waitFor, clientFor, log, measure }),
      );
      return (await trigger)(call, budget);
    },
    warmUp: () => warmUp(compiled.clusters, connect, clientFor),
    log,
    measure,
  };
}

/** The bindings are for another installation: their Secrets would look foreign to this one. */
export class RelayNameDiffers extends RelayError {
  override readonly name = "RelayNameDiffers";
  readonly code = "RELAY_NAME_DIFFERS";
  readonly retryable = false;
  constructor(ofBindings: string, ofStack: string) {
    super(
      `The bindings are for relay ${ofBindings}, and the stack's RelayName is ${ofStack}. Set relay: ${ofStack} in the bindings, or correct RelayName.`,
    );
  }
}
