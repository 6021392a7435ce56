/** A number that is not ours: a price, a quota, a lifetime. Whoever doubts it finds its source here, or by `--sources`. */
export type KnownNumber = {
  readonly value: number;
  readonly unit: string;
  readonly what: string;
  readonly source: string;
  /** The day on which the source was read. */
  readonly seenOn: string;
};

const QUOTAS =
  "AWS Secrets Manager User Guide, Quotas: docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html";
const CLOUDWATCH =
  "aws.amazon.com/cloudwatch/pricing, as others quote it: paid tier, us-east-1, first 10,000";
const LAMBDA = "aws.amazon.com/lambda/pricing, as others quote it: arm64, us-east-1, first tier";

/**
 * Prices are list prices in USD without any free tier, and those of us-east-1 where Regions differ. AWS's own pages of
 * prices could not be read by a script; each number was found alike in several places that quote them.
 */
export const KNOWN = {
  apiCall: {
    value: 0.05 / 10_000,
    unit: "USD a call",
    what: "a call of the Secrets Manager API: USD 0.05 for 10,000",
    source: "aws.amazon.com/secrets-manager/pricing, as others quote it",
    seenOn: "2026-11-25",
  },
  getSecretValueQuota: {
    value: 10_000,
    unit: "calls a second",
    what: "GetSecretValue, for each account and Region; can't be raised",
    source: QUOTAS,
    seenOn: "2026-11-23",
  },
  describeSecretQuota: {
    value: 40_000,
    unit: "calls a second",
    what: "DescribeSecret, for each account and Region; can't be raised",
    source: QUOTAS,
    seenOn: "2026-11-23",
  },
  listSecretsQuota: {
    value: 100,
    unit: "calls a second",
    what: "ListSecrets, for each account and Region; can't be raised",
    source: QUOTAS,
    seenOn: "2026-11-23",
  },
  secretsQuota: {
    value: 500_000,
    unit: "secrets",
    what: "secrets in an account and Region",
    source: QUOTAS,
    seenOn: "2026-11-23",
  },
  listSecretsDelay: {
    value: 5 * 60_000,
    unit: "ms",
    what: "ListSecrets may not show the changes of the last five minutes",
    source: "the reference of ListSecrets, in @aws-sdk/client-secrets-manager 3.1164.0",
    seenOn: "2026-11-23",
  },
  lambdaRequest: {
    value: 0.2 / 1_000_000,
    unit: "USD a request",
    what: "an invocation of Lambda: USD 0.20 for a million",
    source: LAMBDA,
    seenOn: "2026-11-25",
  },
  lambdaGigabyteSecond: {
    value: 0.0000133334,
    unit: "USD a GB-second",
    what: "a second of Lambda with 1 GB of memory",
    source: LAMBDA,
    seenOn: "2026-11-25",
  },
  alarm: {
    value: 0.1,
    unit: "USD a month",
    what: "a CloudWatch alarm of standard resolution",
    source: CLOUDWATCH,
    seenOn: "2026-11-25",
  },
  customMetric: {
    value: 0.3,
    unit: "USD a month",
    what: "a custom metric of CloudWatch",
    source: CLOUDWATCH,
    seenOn: "2026-11-25",
  },
  dashboard: {
    value: 3,
    unit: "USD a month",
    what: "a CloudWatch dashboard",
    source: CLOUDWATCH,
    seenOn: "2026-11-25",
  },
  webIdentityLife: {
    value: 3_600_000,
    unit: "ms",
    what: "credentials of IRSA, unless asked for longer: AssumeRoleWithWebIdentity, 15 minutes to 12 hours, by default one",
    source:
      "AWS STS API Reference, AssumeRoleWithWebIdentity: docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html",
    seenOn: "2026-11-25",
  },
  month: {
    value: 730 * 3_600_000,
    unit: "ms",
    what: "a month in AWS's own estimates: 730 hours",
    source: "AWS Pricing Calculator: calculator.aws",
    seenOn: "2026-11-25",
  },
} as const satisfies Record<string, KnownNumber>;

/** Measured or counted here, and not AWS's: each says where. */
export const OWN = {
  /** docs/sweep.md, "What it costs": 10,000 bindings in 1.5 s on two cores; with 512 MB a function has less than one, so twice the time. */
  sweepMsForEachBinding: 0.3,
  /** One invocation that finds nothing, from start to end. */
  sweepMsAtLeast: 500,
  /** Fence and source, with a cold start now and then (docs/performance.md). */
  rotationMs: 500,
  /** MemoryMegabytes and SweepMemoryMegabytes of template.yaml. */
  memoryGigabytes: 0.5,
  /**
   * Round numbers of what is in template.yaml and in shared/runtime/metrics.ts, without the webhook and trigger
   * mode: a new alarm is a tenth of a dollar, and no reason to reckon anew. A test says when they are far off.
   */
  alarms: 25,
  metrics: 30,
  dashboards: 1,
  /** Up to so many sources are described one by one (shared/sweep/observe-sources.ts). */
  describedMax: 20,
  /** On a page of ListSecrets. */
  listedOnPage: 100,
  /** ValuesSweepSchedule of template.yaml. */
  valuesSweepMs: 24 * 3_600_000,
} as const;
