/** An external number (a price, quota or lifetime) and its source, which `--sources` prints. */
export type KnownNumber = {
  readonly value: number;
  readonly unit: string;
  readonly what: string;
  readonly source: string;
  /** The date of the source. */
  readonly seenOn: string;
};

const QUOTAS =
  "AWS Secrets Manager User Guide, Quotas: docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html";
const CLOUDWATCH =
  "aws.amazon.com/cloudwatch/pricing, as others quote it: paid tier, us-east-1, first 10,000";
const LAMBDA = "aws.amazon.com/lambda/pricing, as others quote it: arm64, us-east-1, first tier";

const known = (value: number, unit: string, what: string, source: string, seenOn: string): KnownNumber => ({
  value,
  unit,
  what,
  source,
  seenOn,
});

const quota = (value: number, unit: string, what: string): KnownNumber =>
  known(value, unit, what, QUOTAS, "2026-11-23");

const price = (value: number, unit: string, what: string, source: string): KnownNumber =>
  known(value, unit, what, source, "2026-11-25");

/**
 * List prices in USD without free tiers; if Regions differ, those of us-east-1. A script cannot read the price pages of
 * AWS, so each number was confirmed by several other pages.
 */
export const KNOWN = {
  apiCall: known(
    0.05 / 10_000,
    "USD a call",
    "a call of the Secrets Manager API: USD 0.05 for 10,000",
    "aws.amazon.com/secrets-manager/pricing, as others quote it",
    "2026-11-25",
  ),
  getSecretValueQuota: quota(
    10_000,
    "calls a second",
    "GetSecretValue, for each account and Region; can't be raised",
  ),
  describeSecretQuota: quota(
    40_000,
    "calls a second",
    "DescribeSecret, for each account and Region; can't be raised",
  ),
  listSecretsQuota: quota(100, "calls a second", "ListSecrets, for each account and Region; can't be raised"),
  secretsQuota: quota(500_000, "secrets", "secrets in an account and Region"),
  listSecretsDelay: known(
    5 * 60_000,
    "ms",
    "ListSecrets may not show the changes of the last five minutes",
    "the reference of ListSecrets, in @aws-sdk/client-secrets-manager 3.1164.0",
    "2026-11-23",
  ),
  lambdaRequest: price(
    0.2 / 1_000_000,
    "USD a request",
    "an invocation of Lambda: USD 0.20 for a million",
    LAMBDA,
  ),
  lambdaGigabyteSecond: price(
    0.0000133334,
    "USD a GB-second",
    "a second of Lambda with 1 GB of memory",
    LAMBDA,
  ),
  alarm: price(0.1, "USD a month", "a metric of a CloudWatch alarm of standard resolution", CLOUDWATCH),
  customMetric: price(0.3, "USD a month", "a custom metric of CloudWatch", CLOUDWATCH),
  dashboard: price(3, "USD a month", "a CloudWatch dashboard", CLOUDWATCH),
  webIdentityLife: known(
    3_600_000,
    "ms",
    "credentials of IRSA, unless asked for longer: AssumeRoleWithWebIdentity, 15 minutes to 12 hours, by default one",
    "AWS STS API Reference, AssumeRoleWithWebIdentity: docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html",
    "2026-11-25",
  ),
  month: known(
    730 * 3_600_000,
    "ms",
    "a month in AWS's own estimates: 730 hours",
    "AWS Pricing Calculator: calculator.aws",
    "2026-11-25",
  ),
};

/** Measurements and counts of this project. */
export const OWN = {
  /** docs/internals/performance.md: 10,000 bindings in 1.5 s on two cores; with 512 MB a function has less than one, so twice the time. */
  sweepMsForEachBinding: 0.3,
  /** One invocation that finds nothing, from start to end. */
  sweepMsAtLeast: 500,
  /** Fence and source, with a cold start now and then (docs/internals/performance.md). */
  rotationMs: 500,
  /** MemoryMegabytes and SweepMemoryMegabytes of template.yaml. */
  memoryGigabytes: 0.5,
  /** The metrics that the alarms of template.yaml read by default: CloudWatch charges each of them. A test counts them. */
  alarmMetrics: 18,
  /** The metrics that every sweep publishes. Others are charged only for the hours in which they are published. */
  steadyMetrics: 7,
  /** More sources are listed instead of described (shared/sweep/observe-sources.ts). */
  describedMax: 20,
  /** Per page of ListSecrets. */
  listedOnPage: 100,
  /** ValuesSweepSchedule of template.yaml. */
  valuesSweepMs: 24 * 3_600_000,
} as const;
