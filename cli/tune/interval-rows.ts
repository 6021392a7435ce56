import { type Costs, listDelayOf, pollingCosts, relayCosts } from "./costs.ts";
import { type CredentialMargin, credentialMargin } from "./credential-margin.ts";
import type { Situation } from "./situation.ts";
import { afterMissedPollMs, pollingStaleness, relayStaleness, type Staleness } from "./staleness.ts";

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
  readonly costs: Costs;
};

export function pollingRow(situation: Situation, everyMs: number): PollingRow {
  const { load, intervalMs, pollFailures, credentialLifeMs } = situation;
  const model = { intervalMs: everyMs, pollFailures };
  return {
    everyMs,
    isOwn: everyMs === intervalMs,
    staleness: pollingStaleness(model),
    afterMissedPollMs: afterMissedPollMs(model),
    costs: pollingCosts(load, everyMs),
    credentials: credentialMargin(everyMs, credentialLifeMs),
  };
}

export function relayRow(situation: Situation, everyMs: number): RelayRow {
  const { load, sweepIntervalMs, eventLoss, deliveryDelayMs, rotateEveryMs } = situation;
  const model = { sweepIntervalMs: everyMs, eventLoss, deliveryDelayMs, listDelayMs: listDelayOf(load) };
  return {
    everyMs,
    isOwn: everyMs === sweepIntervalMs,
    staleness: relayStaleness(model),
    costs: relayCosts(load, { sweepIntervalMs: everyMs, rotateEveryMs }),
  };
}
