import { RelayNameDiffers } from "../bindings/published/errors.ts";
import type { Rules } from "../bindings/published/rules.ts";
import { describeCluster as askEks, assumeRoleWith, type DescribeCluster } from "../cluster/aws-clients.ts";
import { connectClusters } from "../cluster/connect-clusters.ts";
import { callCounter } from "../runtime/call-counter.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import { type Wait, waitFor } from "../runtime/retry.ts";
import { startTimeBudget, type TimeBudget } from "../runtime/time-budget.ts";
import type { CallListeners } from "../source/secrets-manager/clients.ts";
import type { CurrentSourceReader, SourceConfig } from "../source/secrets-manager/current-source.ts";
import type { RotationSource } from "../source/source.ts";
import { openRelay, type Relay } from "./open-relay.ts";
import { openRules } from "./open-rules.ts";
import type { RelayConfig } from "./relay-config.ts";
import type { SendFollowUp } from "./send-follow-up.ts";

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

/** The relay of a function, with its role's credentials and with EKS tokens. Once per execution environment. */
export type FunctionRelay<S extends RotationSource> = {
  /** The relay by the last known rules. */
  readonly open: (budget: TimeBudget) => Promise<Relay<S>>;
  /** The relay by the rules in force, or by the last known ones if the store does not answer. */
  readonly openLatest: (budget: TimeBudget) => Promise<Relay<S>>;
  /** Reads the pointer and opens connections during init, so that the first event does not wait for them. */
  readonly warmUp: () => Promise<void>;
  readonly onAwsCall: () => void;
  readonly now: () => number;
  readonly log: Log;
  readonly measure: Measure;
};

export async function openFunctionRelay<S extends RotationSource & CurrentSourceReader>(
  openSource: OpenSource<S>,
  config: RelayConfig,
  options: RuntimeOptions,
): Promise<FunctionRelay<S>> {
  const { relayName, targetsAtOnce, tokenLifeMs, useFipsEndpoint, workQueueUrl, rolloutDeadlineMs } = config;
  const { log, measure, now = Date.now, wait = waitFor, describeCluster = askEks, retryStrategy } = options;
  const counter = callCounter();
  const { onAwsCall, onKubernetesCall, onThrottled } = counter;
  const source = openSource(retryStrategy === undefined ? {} : { retryStrategy }, {
    onCall: onAwsCall,
    onThrottled,
  });
  const rules = await openRules(config, { credentials: source.credentials, now, wait, relayName });
  // Connections are kept while the clusters stay the same, from one generation to the next.
  const connectTo = lastByText((clusters: Rules["clusters"]) =>
    connectClusters(clusters, {
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
    }),
  );
  const sendFollowUp: SendFollowUp | undefined =
    workQueueUrl === undefined
      ? undefined
      : async (...message) => {
          const { sendFollowUpTo } = await import("./send-follow-up.ts");
          return sendFollowUpTo(workQueueUrl, onAwsCall)(...message);
        };
  const relays = new WeakMap<Rules, Relay<S>>();
  const relayBy = (generation: Rules): Relay<S> => {
    const known = relays.get(generation);
    if (known !== undefined) return known;
    // Before the first publication there is no name.
    if (generation.relay !== relayName && generation.generation !== 0) {
      throw new RelayNameDiffers(generation.relay, relayName);
    }
    const connect = connectTo(generation.clusters);
    const opened = openRelay(generation, {
      source,
      connect,
      targetsAtOnce,
      rolloutDeadlineMs,
      ...(sendFollowUp && { sendFollowUp }),
      counter,
      now,
      wait,
      log,
      measure,
    });
    relays.set(generation, opened);
    return opened;
  };
  return {
    open: async (budget) => relayBy(await rules.known(budget)),
    openLatest: async (budget) => relayBy(await rules.latest(budget)),
    warmUp: async () => {
      const budget = startTimeBudget(INIT_MS_MAX);
      // The first event meets and reports an error again.
      await rules
        .known(budget)
        .then((known) => relayBy(known).warmUp())
        .catch(() => {});
    },
    onAwsCall,
    now,
    log,
    measure,
  };
}

/** Lambda ends an init phase after 10 s. */
const INIT_MS_MAX = 5_000;

/** The result for the last argument, compared by its text. */
function lastByText<T, R>(make: (value: T) => R): (value: T) => R {
  let last: { readonly text: string; readonly result: R } | undefined;
  return (value) => {
    const text = JSON.stringify(value);
    if (last?.text !== text) last = { text, result: make(value) };
    return last.result;
  };
}
