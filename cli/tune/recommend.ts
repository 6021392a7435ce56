import { dollars, percent, printDuration, roughDuration } from "../terminal/format.ts";
import type { PollingRow, RelayRow } from "./interval-rows.ts";
import type { Situation } from "./situation.ts";

/** What to do, and why, in words. */
export type Advice = {
  readonly choice: "relay" | "polling" | "either";
  /** The longest polling interval that does, if any does. */
  readonly pollEveryMs?: number;
  /** The longest sweep interval that does, if any does. */
  readonly sweepEveryMs?: number;
  readonly sentences: readonly string[];
};

/** A minute is what template.yaml refuses as a schedule of sweeps: they would overlap. */
const SWEEP_EVERY_MS_MIN = 2 * 60_000;
/** Above half of a quota on average, too little remains for other callers. */
const QUOTA_SHARE_MAX = 0.5;

export function recommend(
  situation: Situation,
  polling: readonly PollingRow[],
  relay: readonly RelayRow[],
): Advice {
  const poll = polling.findLast((row) => objectionsTo(row, situation).length === 0);
  const sweep = relay.findLast(
    ({ everyMs, staleness }) => everyMs >= SWEEP_EVERY_MS_MIN && staleness.worstMs <= situation.toleratedMs,
  );
  const own = polling.find(({ isOwn }) => isOwn);
  return {
    choice: choose(poll, sweep),
    ...(poll && { pollEveryMs: poll.everyMs }),
    ...(sweep && { sweepEveryMs: sweep.everyMs }),
    sentences: [
      aboutChoice(situation, poll, sweep),
      aboutPolling(situation, poll, polling),
      aboutSweeps(situation, sweep, relay),
      ...(own === undefined ? [] : aboutOwn(own, situation)),
      ...aboutBurst(polling),
    ],
  };
}

function choose(poll: PollingRow | undefined, sweep: RelayRow | undefined): Advice["choice"] {
  if (sweep === undefined) return poll === undefined ? "either" : "polling";
  if (poll === undefined) return "relay";
  return sweep.costs.usd.total <= poll.costs.usd.total ? "relay" : "either";
}

function aboutChoice(
  { toleratedMs }: Situation,
  poll: PollingRow | undefined,
  sweep: RelayRow | undefined,
): string {
  const tolerated = printDuration(toleratedMs);
  if (sweep === undefined) {
    return poll === undefined
      ? `Nothing here keeps a Secret from being stale for more than ${tolerated}: choose a shorter interval than those of the table, or tolerate more.`
      : `Poll. With a lost event the relay can be stale for longer than the ${tolerated} that you tolerate.`;
  }
  const freshness = `${roughDuration(sweep.staleness.expectedMs)} on average`;
  if (poll === undefined) {
    return `Take the relay: no polling interval of the table does what you ask, and the relay leaves a Secret stale for ${freshness}.`;
  }
  const [pollUsd, sweepUsd] = [poll.costs.usd.total, sweep.costs.usd.total];
  const polled = roughDuration(poll.staleness.expectedMs);
  return sweepUsd <= pollUsd
    ? `Take the relay: it costs ${dollars(sweepUsd)} a month where polling costs ${dollars(pollUsd)}, and a Secret is stale for ${freshness} instead of ${polled}.`
    : `Either does: polling costs ${dollars(pollUsd)} a month, the relay ${dollars(sweepUsd)} with its alarms and metrics. Take the relay when ${polled} of a wrong password at each rotation are too long: it needs ${freshness}.`;
}

function aboutPolling(
  situation: Situation,
  poll: PollingRow | undefined,
  polling: readonly PollingRow[],
): string {
  const life = printDuration(situation.credentialLifeMs);
  if (poll !== undefined) {
    return `If you poll, poll every ${printDuration(poll.everyMs)}: the longest interval at which a Secret is stale for at most ${printDuration(situation.toleratedMs)} even when one poll is missed, and of which two fit into the ${life} that credentials last.`;
  }
  const [shortest] = polling;
  const why = shortest === undefined ? [] : objectionsTo(shortest, situation);
  return `If you poll, no interval of the table does: even at ${printDuration(shortest?.everyMs ?? 0)} ${why.join(", and ")}.`;
}

function aboutSweeps(
  { toleratedMs }: Situation,
  sweep: RelayRow | undefined,
  relay: readonly RelayRow[],
): string {
  if (sweep !== undefined) {
    return `With the relay, sweep every ${printDuration(sweep.everyMs)}: the longest interval at which even a lost event leaves a Secret stale for at most ${printDuration(toleratedMs)} (here ${roughDuration(sweep.staleness.worstMs)}).`;
  }
  const shortest = relay.find(({ everyMs }) => everyMs >= SWEEP_EVERY_MS_MIN);
  return `With the relay, a lost event leaves a Secret stale for up to ${roughDuration(shortest?.staleness.worstMs ?? 0)} even when it sweeps every ${printDuration(shortest?.everyMs ?? 0)}: ListSecrets may be five minutes old. An event that arrives is unaffected.`;
}

function aboutOwn(own: PollingRow, situation: Situation): string[] {
  const why = objectionsTo(own, situation);
  const every = printDuration(own.everyMs);
  return why.length === 0 ? [] : [`Your own interval of ${every} does not: ${why.join(", and ")}.`];
}

/** It is the same at every interval. */
function aboutBurst([row]: readonly PollingRow[]): string[] {
  if (row === undefined || row.costs.quota.atOnce <= 1) return [];
  return [
    `When everything is due in the same second, as after a start of the operator, polling asks for ${percent(row.costs.quota.atOnce)} of the quota of ${row.costs.quota.of}: a part of it is throttled and comes later.`,
  ];
}

/** Why not to poll so often, or so seldom. */
function objectionsTo(
  row: PollingRow,
  { toleratedMs, credentialLifeMs, rotateEveryMs }: Situation,
): string[] {
  const life = printDuration(credentialLifeMs);
  const { average, of } = row.costs.quota;
  return [
    ...(row.afterMissedPollMs > toleratedMs
      ? [`one missed poll leaves a Secret stale for up to ${roughDuration(row.afterMissedPollMs)}`]
      : []),
    ...(row.credentials === "tight"
      ? [`less than two polls fit into the ${life} that credentials last, so that two in a row can be missed`]
      : []),
    ...(row.credentials === "none"
      ? [`credentials of ${life} have ended before each poll, so that each depends on STS at that moment`]
      : []),
    ...(average > QUOTA_SHARE_MAX ? [`it takes ${percent(average)} of the quota of ${of}`] : []),
    ...(row.everyMs > rotateEveryMs
      ? ["values are rotated more often than that, so some are never seen"]
      : []),
  ];
}
