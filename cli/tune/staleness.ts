/** How long a Kubernetes Secret holds a value after it stopped being current, in closed form. */
export type Staleness = {
  readonly expectedMs: number;
  /** 99 of 100 rotations are written by then. */
  readonly p99Ms: number;
  /** No run of luck makes it longer, as long as what is assumed holds. */
  readonly worstMs: number;
};

export type PollingModel = {
  readonly intervalMs: number;
  /** The share of polls that fail and leave the Secret to the next one, 0 to less than 1. */
  readonly pollFailures: number;
};

export type RelayModel = {
  readonly sweepIntervalMs: number;
  /** The share of rotations whose event never leads to a write, 0 to 1. */
  readonly eventLoss: number;
  readonly deliveryDelayMs: number;
  /** How long ListSecrets may omit a rotation. */
  readonly listDelayMs: number;
};

/**
 * A rotation comes at any moment between two polls, so the next is between none and one interval away, half of one on
 * average. A poll that fails adds a whole interval: with share p of failures that happens p / (1 - p) times on average.
 * The worst case assumes that polls succeed; one failure doubles it, see `afterMissedPollMs`.
 */
export function pollingStaleness({ intervalMs, pollFailures }: PollingModel): Staleness {
  return {
    expectedMs: intervalMs / 2 + (intervalMs * pollFailures) / (1 - pollFailures),
    p99Ms: intervalMs * p99Intervals(pollFailures),
    worstMs: intervalMs,
  };
}

/** In intervals: n failed polls with the share p^n, then an even share of one interval. */
function p99Intervals(pollFailures: number): number {
  if (pollFailures === 0) return 0.99;
  const failed = Math.floor(Math.log(0.01) / Math.log(pollFailures));
  const reached = pollFailures ** failed;
  return failed + (reached - 0.01) / (reached * (1 - pollFailures));
}

/** One poll after the rotation fails, and the next one succeeds. */
export const afterMissedPollMs = ({ intervalMs }: PollingModel): number => 2 * intervalMs;

/**
 * The event arrives after its delay, unless the first sweep that can see the rotation runs earlier. That sweep also
 * repairs a lost event. A sweep sees a rotation when ListSecrets does; the model always assumes its longest delay.
 */
export function relayStaleness(model: RelayModel): Staleness {
  const { sweepIntervalMs, eventLoss, deliveryDelayMs, listDelayMs } = model;
  const bySweepMs = listDelayMs + sweepIntervalMs / 2;
  const slowestMs = listDelayMs + sweepIntervalMs;
  return {
    expectedMs: eventLoss * bySweepMs + (1 - eventLoss) * expectedSooner(model),
    p99Ms: relayP99Ms(model),
    worstMs: eventLoss > 0 ? slowestMs : Math.min(deliveryDelayMs, slowestMs),
  };
}

/** The mean of min(d, L + U), U even between 0 and S. */
function expectedSooner({ sweepIntervalMs, deliveryDelayMs, listDelayMs }: RelayModel): number {
  const overlapMs = deliveryDelayMs - listDelayMs;
  if (overlapMs <= 0) return deliveryDelayMs;
  if (overlapMs >= sweepIntervalMs) return listDelayMs + sweepIntervalMs / 2;
  const sweepFirst = overlapMs / sweepIntervalMs;
  return sweepFirst * (listDelayMs + overlapMs / 2) + (1 - sweepFirst) * deliveryDelayMs;
}

/** The event is written at d, the sweep at L + U: 99 in 100 by the sweep alone, by both at d, or by the sweep after d. */
function relayP99Ms({ sweepIntervalMs, eventLoss, deliveryDelayMs, listDelayMs }: RelayModel): number {
  const sweepAt = (share: number) => listDelayMs + share * sweepIntervalMs;
  if (sweepAt(0.99) <= deliveryDelayMs) return sweepAt(0.99);
  const late = eventLoss > 0.01 ? sweepAt(1 - 0.01 / eventLoss) : 0;
  return Math.max(deliveryDelayMs, late);
}
