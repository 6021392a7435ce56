import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";
import { type Pace, SHARES } from "../settings.ts";
import type { Faults } from "../wire/faults.ts";
import type { Wire } from "../wire/wire.ts";
import type { Sessions } from "../world/sessions.ts";
import type { WorldCluster } from "../world/world.ts";

type Means = {
  readonly pace: Pace;
  readonly random: Random;
  readonly now: () => number;
};

/** AWS has a bad time three times. Answers how often. */
export async function runBrownouts(
  faults: Faults,
  untilAt: number,
  { pace, random, now }: Means,
): Promise<number> {
  const partMs = (untilAt - now()) / BROWNOUTS;
  for (let part = 0; part < BROWNOUTS; part += 1) {
    const lengthMs = Math.min(random.between(...pace.brownoutMs), partMs / 2);
    const beforeMs = random.between(0, partMs - lengthMs);
    await sleep(beforeMs);
    faults.brownOut(SHARES.callsFailInBrownout);
    await sleep(lengthMs);
    faults.brownOut(0);
    await sleep(partMs - lengthMs - beforeMs);
  }
  return BROWNOUTS;
}

const BROWNOUTS = 3;

/** All credentials that are in use end at once, now and then, whatever was said of their end. */
export async function endSessions(
  sessions: Sessions,
  untilAt: number,
  { random, now }: Means,
): Promise<void> {
  const partMs = (untilAt - now()) / SESSION_ENDS;
  for (let part = 0; part < SESSION_ENDS; part += 1) {
    const beforeMs = random.between(0, partMs);
    await sleep(beforeMs);
    sessions.endAll();
    await sleep(partMs - beforeMs);
  }
}

const SESSION_ENDS = 6;

/** One cluster is not to be reached for long, as when a network is cut. Answers how often. */
export async function runOutage(
  { host }: WorldCluster,
  untilAt: number,
  { pace, random, now }: Means,
): Promise<number> {
  await sleep(random.between(0.2, 0.5) * (untilAt - now()));
  host.downUntil = Math.min(now() + random.between(...pace.outageMs), untilAt);
  return 1;
}

/**
 * An API server is killed in the middle of its traffic, each time a little after one of the next reads of a Secret or
 * applies, and another one is started. Answers how often.
 */
export async function killApiServer(
  cluster: WorldCluster,
  wire: Wire,
  untilAt: number,
  { pace, random, now }: Means,
): Promise<number> {
  const partMs = (untilAt - now()) / KILLS;
  let kills = 0;
  for (let part = 1; part <= KILLS; part += 1) {
    const partEndsAt = untilAt - (KILLS - part) * partMs;
    await sleep(random.between(0, partMs / 2));
    const awaited = part % 2 === 0 ? "apply Secret" : "read Secret";
    await Promise.race([wire.requestTo(cluster.host, awaited), sleep(Math.max(0, partEndsAt - now()))]);
    await sleep(random.between(0, AFTER_REQUEST_MS_MAX));
    if (now() >= untilAt) break;
    await cluster.kill();
    kills += 1;
    await sleep(random.between(...pace.restartMs));
    await cluster.startAgain();
    await sleep(Math.max(0, partEndsAt - now()));
  }
  return kills;
}

/** Of each API server. */
const KILLS = 6;

/** A request is served within 12 ms, and answered within as much again. */
const AFTER_REQUEST_MS_MAX = 18;
