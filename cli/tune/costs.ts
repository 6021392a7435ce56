import { KNOWN, OWN } from "./known-numbers.ts";
import type { Load } from "./load.ts";

/** What a way of staying fresh asks of AWS. */
export type Costs = {
  /** Of the Secrets Manager API: each is billed. */
  readonly callsAMonth: number;
  readonly usd: {
    readonly calls: number;
    readonly lambda: number;
    readonly stack: number;
    readonly total: number;
  };
  /** The share of a published quota, 1 for all of it. */
  readonly quota: { readonly of: string; readonly average: number; readonly atOnce: number };
};

const MONTH = KNOWN.month.value;

/** Every poll reads every value, whether anything changed or not. The operator's own pods are not reckoned. */
export function pollingCosts({ pollReads }: Load, intervalMs: number): Costs {
  const callsAMonth = (pollReads * MONTH) / intervalMs;
  return {
    callsAMonth,
    usd: sum({ calls: callsAMonth * KNOWN.apiCall.value, lambda: 0, stack: 0 }),
    quota: {
      of: "GetSecretValue",
      average: (pollReads * 1_000) / intervalMs / KNOWN.getSecretValueQuota.value,
      // After a start, or when a store is ready again, everything is due in the same second.
      atOnce: pollReads / KNOWN.getSecretValueQuota.value,
    },
  };
}

/** A sweep lists versions, a rotation reads one value for each cluster, and once a day every value is compared. */
export function relayCosts(load: Load, { sweepIntervalMs, rotateEveryMs }: RelayRhythm): Costs {
  const { secrets, targets, rotationReads } = load;
  const sweeps = MONTH / sweepIntervalMs;
  const rotations = (secrets * MONTH) / rotateEveryMs;
  const { calls: look, of, quota } = lookOf(load);
  const callsAMonth =
    sweeps * look +
    (rotationReads * MONTH) / rotateEveryMs +
    // BatchGetSecretValue takes 20 at once; whether it is billed as one call or as twenty is not documented: twenty.
    (secrets * MONTH) / OWN.valuesSweepMs;
  const sweepMs = OWN.sweepMsAtLeast + targets * OWN.sweepMsForEachBinding;
  const lambdaMs = sweeps * sweepMs + rotations * OWN.rotationMs;
  return {
    callsAMonth,
    usd: sum({
      calls: callsAMonth * KNOWN.apiCall.value,
      lambda:
        (sweeps + rotations) * KNOWN.lambdaRequest.value +
        (lambdaMs / 1_000) * OWN.memoryGigabytes * KNOWN.lambdaGigabyteSecond.value,
      stack: STACK_USD,
    }),
    quota: { of, average: (look * 1_000) / sweepIntervalMs / quota, atOnce: look / quota },
  };
}

export type RelayRhythm = { readonly sweepIntervalMs: number; readonly rotateEveryMs: number };

/** Whether a sweep of so many sources lists them, and so may be late to see a rotation. */
export const listDelayOf = ({ secrets }: Load): number =>
  secrets > OWN.describedMax ? KNOWN.listSecretsDelay.value : 0;

function lookOf({ secrets }: Load): { calls: number; of: string; quota: number } {
  return secrets > OWN.describedMax
    ? {
        calls: Math.ceil(secrets / OWN.listedOnPage),
        of: "ListSecrets",
        quota: KNOWN.listSecretsQuota.value,
      }
    : { calls: secrets, of: "DescribeSecret", quota: KNOWN.describeSecretQuota.value };
}

/** Alarms and metrics cost the same, however often it sweeps. monitoring.yaml is not included. */
const STACK_USD = OWN.alarmMetrics * KNOWN.alarm.value + OWN.steadyMetrics * KNOWN.customMetric.value;

const sum = (usd: Omit<Costs["usd"], "total">): Costs["usd"] => ({
  ...usd,
  total: usd.calls + usd.lambda + usd.stack,
});
