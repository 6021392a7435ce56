import { type Costs, listDelayOf, pollingCosts, relayCosts } from "./costs.ts";
import { type CredentialMargin, credentialMargin } from "./credential-margin.ts";
import type { Load } from "./load.ts";
import { type Advice, recommend } from "./recommend.ts";
import { ROTATIONS, type Run, SEED, type Simulated, simulatePolling, simulateRelay } from "./simulate.ts";
import { afterMissedPollMs, pollingStaleness, relayStaleness, type Staleness } from "./staleness.ts";

/** What is known or assumed of the place where it runs. */
export type Situation = {
  readonly load: Load;
  /** One's own, of a polling operator. */
  readonly intervalMs: number;
  readonly sweepIntervalMs: number;
  readonly rotateEveryMs: number;
  readonly credentialLifeMs: number;
  readonly eventLoss: number;
  readonly deliveryDelayMs: number;
  readonly pollFailures: number;
  /** For so long a Secret may hold an old value. */
  readonly toleratedMs: number;
};

export type PollingRow = Row & {
  readonly afterMissedPollMs: number;
  readonly credentials: CredentialMargin;
};

export type RelayRow = Row;

type Row = {
  /** Between two polls, or two sweeps. */
  readonly everyMs: number;
  readonly isOwn: boolean;
  readonly staleness: Staleness;
  readonly simulated: Simulated;
  readonly costs: Costs;
};

export type IntervalPlan = {
  readonly situation: Situation;
  readonly simulation: { readonly seed: number; readonly rotations: number };
  readonly polling: readonly PollingRow[];
  readonly relay: readonly RelayRow[];
  readonly advice: Advice;
};

/** Pure: the same situation gives the same plan. */
export function planIntervals(situation: Situation, run: Run = {}): IntervalPlan {
  const polling = withOwn(situation.intervalMs).map((everyMs) => pollingRow(situation, everyMs, run));
  const relay = withOwn(situation.sweepIntervalMs).map((everyMs) => relayRow(situation, everyMs, run));
  return {
    situation,
    simulation: { seed: SEED, rotations: ROTATIONS, ...run },
    polling,
    relay,
    advice: recommend(situation, polling, relay),
  };
}

const MINUTE = 60_000;
const USUAL: readonly number[] = [1, 5, 15, 30, 60].map((minutes) => minutes * MINUTE);

const withOwn = (ownMs: number): number[] =>
  [...new Set([...USUAL, ownMs])].sort((one, other) => one - other);

function pollingRow(situation: Situation, everyMs: number, run: Run): PollingRow {
  const { load, intervalMs, pollFailures, credentialLifeMs } = situation;
  const model = { intervalMs: everyMs, pollFailures };
  return {
    everyMs,
    isOwn: everyMs === intervalMs,
    staleness: pollingStaleness(model),
    afterMissedPollMs: afterMissedPollMs(model),
    simulated: simulatePolling(model, run),
    costs: pollingCosts(load, everyMs),
    credentials: credentialMargin(everyMs, credentialLifeMs),
  };
}

function relayRow(situation: Situation, everyMs: number, run: Run): RelayRow {
  const { load, sweepIntervalMs, eventLoss, deliveryDelayMs, rotateEveryMs } = situation;
  const model = { sweepIntervalMs: everyMs, eventLoss, deliveryDelayMs, listDelayMs: listDelayOf(load) };
  return {
    everyMs,
    isOwn: everyMs === sweepIntervalMs,
    staleness: relayStaleness(model),
    simulated: simulateRelay(model, run),
    costs: relayCosts(load, { sweepIntervalMs: everyMs, rotateEveryMs }),
  };
}
