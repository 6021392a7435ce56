import { dollars, percent, printDuration, roughDuration } from "../terminal/format.ts";
import type { PollingRow, RelayRow } from "./interval-rows.ts";
import type { Situation } from "./situation.ts";

/** The recommendation and its reasons, as sentences. */
export type Advice = {
  readonly choice: "relay" | "polling" | "either";
  /** The longest polling interval within the limits. */
  readonly pollEveryMs?: number;
  /** The longest sweep interval within the limits. */
  readonly sweepEveryMs?: number;
  readonly sentences: readonly string[];
};

/** template.yaml refuses a sweep schedule of one minute, because the sweeps would overlap. */
const SWEEP_EVERY_MS_MIN = 2 * 60_000;
/** With more than half of a quota on average, too little is left for other callers. */
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
      ? `No interval in the table keeps staleness below ${tolerated}. Choose a shorter interval, or increase --tolerate.`
      : `Poll. If an event is lost, a Secret of the relay can be stale for longer than the ${tolerated} that you tolerate.`;
  }
  const freshness = `${roughDuration(sweep.staleness.expectedMs)} on average`;
  if (poll === undefined) {
    return `Use the relay: no polling interval in the table meets your limits, and with the relay a Secret is stale for ${freshness}.`;
  }
  const [pollUsd, sweepUsd] = [poll.costs.usd.total, sweep.costs.usd.total];
  const polled = roughDuration(poll.staleness.expectedMs);
  return sweepUsd <= pollUsd
    ? `Use the relay: it costs ${dollars(sweepUsd)} a month, polling costs ${dollars(pollUsd)}, and a Secret is stale for ${freshness} instead of ${polled}.`
    : `Both meet your limits: polling costs ${dollars(pollUsd)} a month, the relay ${dollars(sweepUsd)} with its alarms and metrics. Use the relay if ${polled} with a wrong password after each rotation is too long; the relay needs ${freshness}.`;
}

function aboutPolling(
  situation: Situation,
  poll: PollingRow | undefined,
  polling: readonly PollingRow[],
): string {
  const life = printDuration(situation.credentialLifeMs);
  if (poll !== undefined) {
    return `If you poll, poll every ${printDuration(poll.everyMs)}: the longest interval at which a Secret is stale for at most ${printDuration(situation.toleratedMs)} even if one poll is missed, and at which two polls fit into the credential lifetime of ${life}.`;
  }
  const [shortest] = polling;
  const why = shortest === undefined ? [] : objectionsTo(shortest, situation);
  return `If you poll, no interval in the table meets your limits: even at ${printDuration(shortest?.everyMs ?? 0)} ${why.join(", and ")}.`;
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
  return `With the relay, a lost event leaves a Secret stale for up to ${roughDuration(shortest?.staleness.worstMs ?? 0)} even if it sweeps every ${printDuration(shortest?.everyMs ?? 0)}: the result of ListSecrets can be five minutes old. An event that arrives is unaffected.`;
}

function aboutOwn(own: PollingRow, situation: Situation): string[] {
  const why = objectionsTo(own, situation);
  const every = printDuration(own.everyMs);
  return why.length === 0
    ? []
    : [`Your interval of ${every} does not meet your limits: ${why.join(", and ")}.`];
}

/** The same at every interval. */
function aboutBurst([row]: readonly PollingRow[]): string[] {
  if (row === undefined || row.costs.quota.atOnce <= 1) return [];
  return [
    `If everything is due in the same second, as after a start of the operator, polling needs ${percent(row.costs.quota.atOnce)} of the quota of ${row.costs.quota.of}, so some calls are throttled and delayed.`,
  ];
}

/** The reasons against a polling interval. */
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
