import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";
import { type Pace, SHARES } from "../settings.ts";
import type { Faults } from "../wire/faults.ts";
import type { WorldCluster } from "../world/world.ts";

type Means = {
  readonly pace: Pace;
  readonly random: Random;
  readonly now: () => number;
};

/** AWS has a bad time three times. */
export async function runBrownouts(
  faults: Faults,
  untilAt: number,
  { pace, random, now }: Means,
): Promise<void> {
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
}

const BROWNOUTS = 3;

/** Every API server restarts now and then, and one of them is down for long. */
export async function runOutages(
  clusters: readonly WorldCluster[],
  untilAt: number,
  { pace, random, now }: Means,
): Promise<{ restarts: number; outages: number }> {
  const counts = { restarts: 0, outages: 0 };
  const totalMs = untilAt - now();
  const planned = clusters.flatMap((cluster, index) => {
    const restarts = Array.from({ length: 3 }, () => ({
      cluster,
      isLong: false,
      at: random.between(0, 0.9),
    }));
    return index === 0 ? [...restarts, { cluster, isLong: true, at: random.between(0.2, 0.5) }] : restarts;
  });
  const startedAt = now();
  for (const { cluster, isLong, at } of planned.sort((one, other) => one.at - other.at)) {
    await sleep(Math.max(0, startedAt + at * totalMs - now()));
    const [min, max] = isLong ? pace.outageMs : pace.restartMs;
    const upAt = now() + random.between(min, max);
    cluster.host.downUntil = Math.max(cluster.host.downUntil, Math.min(upAt, untilAt));
    counts[isLong ? "outages" : "restarts"] += 1;
  }
  return counts;
}
