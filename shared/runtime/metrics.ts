import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";

/** Every metric, in namespace SecretRelay with dimension `service`. */
export const METRICS = {
  PropagationLatency: "Milliseconds",
  /** Of kubernetes.io/tls, in days; alarm on the minimum. */
  CertificateExpiresInDays: "Count",
  TargetsWritten: "Count",
  TargetsUnchanged: "Count",
  TargetsRefused: "Count",
  TargetsFailed: "Count",
  FenceConflicts: "Count",
  WorkloadsRestarted: "Count",
  RestartsFailed: "Count",
  RolloutsStuck: "Count",
  /** From the move of AWSCURRENT until the last restarted workload of a target runs with the version. */
  TimeToEffective: "Milliseconds",
  ExternalSecretsRefreshed: "Count",
  ExternalSecretsIgnored: "Count",
  ExternalSecretsFailed: "Count",
  /** From the nudge until the refresh was observed. */
  ExternalSecretRefreshLatency: "Milliseconds",
  TokenRefreshes: "Count",
  RotationsFailed: "Count",
  EventsRejected: "Count",
  WebhookCallsAccepted: "Count",
  /** Already accepted earlier, so ignored. */
  WebhookCallsRepeated: "Count",
  /** Well-formed, but with an unknown signature or id. */
  WebhookCallsRefused: "Count",
  WebhookCallsMalformed: "Count",
  /** Over the webhook's rate limit. */
  WebhookCallsHeldOff: "Count",
  /** Failed on the relay's side. */
  WebhookCallsFailed: "Count",
  SweepBindingsChecked: "Count",
  SweepBindingsUnknown: "Count",
  SweepShardsPlanned: "Count",
  SweepShardsCompleted: "Count",
  TargetsDrifted: "Count",
  TargetsLeft: "Count",
  TargetsRepaired: "Count",
  TargetsDeleted: "Count",
  DeletionsHeldBack: "Count",
  OldestStaleness: "Milliseconds",
  Throttles: "Count",
} as const satisfies Record<string, "Milliseconds" | "Count">;

export type MetricName = keyof typeof METRICS;

/** Adds to a metric; with `code`, also to the same metric with dimension `code`. */
export type Measure = (name: MetricName, value: number, code?: string) => void;

export function measureThrough(metrics: Metrics): Measure {
  return (name, value, code) => {
    const unit = METRICS[name] === "Milliseconds" ? MetricUnit.Milliseconds : MetricUnit.Count;
    metrics.addMetric(name, unit, value);
    if (code === undefined) return;
    const single = metrics.singleMetric();
    single.addDimension("code", code);
    single.addMetric(name, unit, value);
  };
}
