import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";
import type { Host } from "../transport/host.ts";

/** Periods in which a host accepts the requests of the functions, and answers none of them. Returns how many. */
export async function runSilences(
  host: Host,
  lengthMs: readonly [number, number],
  untilAt: number,
  { random, now }: { readonly random: Random; readonly now: () => number },
): Promise<number> {
  const partMs = (untilAt - now()) / SILENCES;
  for (let part = 0; part < SILENCES; part += 1) {
    const silentMs = Math.min(random.between(...lengthMs), partMs / 4);
    const beforeMs = random.between(0, partMs - silentMs);
    await sleep(beforeMs);
    host.silentUntil = now() + silentMs;
    await sleep(partMs - beforeMs);
  }
  return SILENCES;
}

const SILENCES = 2;
