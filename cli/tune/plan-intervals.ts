import { type PollingRow, pollingRow, type RelayRow, relayRow } from "./interval-rows.ts";
import { type Advice, recommend } from "./recommend.ts";
import type { Situation } from "./situation.ts";

export type IntervalPlan = {
  readonly situation: Situation;
  readonly polling: readonly PollingRow[];
  readonly relay: readonly RelayRow[];
  readonly advice: Advice;
};

/** Pure: the same situation gives the same plan. */
export function planIntervals(situation: Situation): IntervalPlan {
  const polling = withOwn(situation.intervalMs).map((everyMs) => pollingRow(situation, everyMs));
  const relay = withOwn(situation.sweepIntervalMs).map((everyMs) => relayRow(situation, everyMs));
  return {
    situation,
    polling,
    relay,
    advice: recommend(situation, polling, relay),
  };
}

const MINUTE = 60_000;
const USUAL: readonly number[] = [1, 5, 15, 30, 60].map((minutes) => minutes * MINUTE);

const withOwn = (ownMs: number): number[] =>
  [...new Set([...USUAL, ownMs])].sort((one, other) => one - other);
