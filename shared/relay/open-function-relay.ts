import { readCompiledBindings } from "../bindings/read-compiled-bindings.ts";
import { describeCluster as askEks, assumeRoleWith, type DescribeCluster } from "../cluster/aws-clients.ts";
import { connectClusters } from "../cluster/connect-clusters.ts";
import { RelayError } from "../relay-error.ts";
import { callCounter } from "../runtime/call-counter.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import { type Wait, waitFor } from "../runtime/retry.ts";
import type { CallListeners } from "../source/secrets-manager/clients.ts";
import type { CurrentSourceReader, SourceConfig } from "../source/secrets-manager/current-source.ts";
import type { RotationSource } from "../source/source.ts";
import { openRelay, type Relay } from "./open-relay.ts";
import type { RelayConfig } from "./relay-config.ts";

export type RuntimeOptions = {
  readonly log: Log;
  readonly measure: Measure;
  readonly now?: () => number;
  readonly wait?: Wait;
  readonly describeCluster?: DescribeCluster;
  /** The SDK's pauses between attempts. Default: the SDK's own. */
  readonly retryStrategy?: SourceConfig["retryStrategy"];
};

type OpenSource<S> = (config: SourceConfig, listeners: CallListeners) => S;

/** The relay of a function: with its role's credentials, and with EKS tokens. Once per execution environment. */
export async function openFunctionRelay<S extends RotationSource & CurrentSourceReader>(
  openSource: OpenSource<S>,
  { bindingsFile, relayName, targetsAtOnce, tokenLifeMs, useFipsEndpoint }: RelayConfig,
  { log, measure, now = Date.now, wait = waitFor, describeCluster = askEks, retryStrategy }: RuntimeOptions,
): Promise<Relay<S> & { readonly onAwsCall: () => void }> {
  const bindings = await readCompiledBindings(bindingsFile);
  if (bindings.relay !== relayName) throw new RelayNameDiffers(bindings.relay, relayName);
  const counter = callCounter();
  const { onAwsCall, onKubernetesCall, onThrottled } = counter;
  const source = openSource(retryStrategy === undefined ? {} : { retryStrategy }, {
    onCall: onAwsCall,
    onThrottled,
  });
  const connect = connectClusters(bindings.clusters, {
    ownCredentials: source.credentials,
    assumeRole: assumeRoleWith(source.credentials),
    describeCluster,
    now,
    tokenLifeMs,
    fips: useFipsEndpoint,
    connectionsMax: targetsAtOnce,
    onTokenMinted: () => measure("TokenRefreshes", 1),
    onRequest: onKubernetesCall,
    onThrottled,
    wait,
  });
  const options = { source, connect, targetsAtOnce, counter, now, wait, log, measure };
  return { ...openRelay(bindings, options), onAwsCall };
}

/** The bindings belong to another installation; its Secrets would look foreign to this one. */
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
