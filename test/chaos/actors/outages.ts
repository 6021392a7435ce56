import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";
import { type Pace, SHARES } from "../settings.ts";
import type { Faults } from "../transport/faults.ts";
import type { Host, HostKind } from "../transport/host.ts";
import type { Transport } from "../transport/transport.ts";
import type { Sessions } from "../world/sessions.ts";
import type { WorldCluster } from "../world/world.ts";

type ActorContext = {
  readonly pace: Pace;
  readonly random: Random;
  readonly now: () => number;
};

/** Periods in which the calls to a host fail often. */
export async function runBrownouts(
  faults: Faults,
  { host, times }: { readonly host: HostKind; readonly times: number },
  untilAt: number,
  { pace, random, now }: ActorContext,
): Promise<number> {
  const partMs = (untilAt - now()) / times;
  for (let part = 0; part < times; part += 1) {
    const lengthMs = Math.min(random.between(...pace.brownoutMs), partMs / 2);
    const beforeMs = random.between(0, partMs - lengthMs);
    await sleep(beforeMs);
    faults.brownOut(host, SHARES.callsFailInBrownout);
    await sleep(lengthMs);
    faults.brownOut(host, 0);
    await sleep(partMs - lengthMs - beforeMs);
  }
  return times;
}

/** Sometimes all credentials in use end at once, before their announced expiry. */
export async function endSessions(
  sessions: Sessions,
  untilAt: number,
  { random, now }: ActorContext,
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

/** One host is unreachable for a long time, as when a network is cut. Returns how many outages. */
export async function runOutage(
  { host, lengthMs }: { readonly host: Host; readonly lengthMs: readonly [number, number] },
  untilAt: number,
  { random, now }: ActorContext,
): Promise<number> {
  await sleep(random.between(0.2, 0.5) * (untilAt - now()));
  host.downUntil = Math.min(now() + random.between(...lengthMs), untilAt);
  return 1;
}

/**
 * Kills an API server in the middle of its traffic, shortly after a read or apply of a Secret, and starts another one.
 * Returns how many kills.
 */
export async function killApiServer(
  cluster: WorldCluster,
  transport: Transport,
  untilAt: number,
  { pace, random, now }: ActorContext,
): Promise<number> {
  const partMs = (untilAt - now()) / KILLS;
  let kills = 0;
  for (let part = 1; part <= KILLS; part += 1) {
    const partEndsAt = untilAt - (KILLS - part) * partMs;
    await sleep(random.between(0, partMs / 2));
    const awaited = part % 2 === 0 ? "apply Secret" : "read Secret";
    await Promise.race([transport.requestTo(cluster.host, awaited), sleep(Math.max(0, partEndsAt - now()))]);
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

/** Per API server. */
const KILLS = 6;

/** A request is served within 12 ms, and its response arrives within another 12 ms. */
const AFTER_REQUEST_MS_MAX = 18;
