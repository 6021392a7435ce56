import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";

/** Every metric there is, in namespace SecretRelay with dimension `service`. */
export const METRICS = {
  PropagationLatency: "Milliseconds",
  /** Of kubernetes.io/tls, in days; the smallest is the one to watch. */
  CertificateExpiresInDays: "Count",
  TargetsWritten: "Count",
  TargetsUnchanged: "Count",
  TargetsRefused: "Count",
  TargetsFailed: "Count",
  FenceConflicts: "Count",
  WorkloadsRestarted: "Count",
  RestartsFailed: "Count",
  ExternalSecretsRefreshed: "Count",
  ExternalSecretsIgnored: "Count",
  ExternalSecretsFailed: "Count",
  /** From the nudge until the refresh was seen. */
  ExternalSecretRefreshLatency: "Milliseconds",
  TokenRefreshes: "Count",
  RotationsFailed: "Count",
  EventsRejected: "Count",
  WebhookCallsAccepted: "Count",
  /** Accepted before, and not done again. */
  WebhookCallsRepeated: "Count",
  /** In order, but of an unknown signature or an unknown id. */
  WebhookCallsRefused: "Count",
  /** Not what the webhook takes, whoever sent it. */
  WebhookCallsMalformed: "Count",
  /** Beyond what the webhook takes in a minute. */
  WebhookCallsHeldOff: "Count",
  /** The fault is on this side. */
  WebhookCallsFailed: "Count",
  SweepBindingsChecked: "Count",
  SweepBindingsUnknown: "Count",
  SweepShardsPlanned: "Count",
  SweepShardsCompleted: "Count",
  SweepLag: "Milliseconds",
  TargetsDrifted: "Count",
  TargetsLeft: "Count",
  TargetsRepaired: "Count",
  TargetsDeleted: "Count",
  DeletionsHeldBack: "Count",
  OldestStaleness: "Milliseconds",
  AwsCalls: "Count",
  KubernetesCalls: "Count",
  Throttles: "Count",
} as const satisfies Record<string, "Milliseconds" | "Count">;

export type MetricName = keyof typeof METRICS;

/** Adds to a metric. With a `code` it is also counted under that code, as a second dimension set. */
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
