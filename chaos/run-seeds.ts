import { type ChaosSettings, PACE_OF_AWS, PACE_OF_REAL_SERVERS } from "./settings.ts";
import { type ChaosResult, simulate } from "./simulate.ts";
import { realTime } from "./time/real-time.ts";
import { virtualTime } from "./time/virtual-time.ts";
import { Wire } from "./wire/wire.ts";
import { openSandboxWorld } from "./world/sandbox-world.ts";
import type { World } from "./world/world.ts";

/** One run after the other in this process, each in a world of its own. */
export async function* runSeeds(
  settings: ChaosSettings,
  seeds: number,
  trace?: (line: string) => void,
): AsyncGenerator<ChaosResult> {
  const wire = new Wire(trace);
  const onSandbox = settings.backend === "sandbox";
  const time = onSandbox ? virtualTime(STARTS_AT) : realTime();
  const pace = onSandbox ? PACE_OF_AWS : PACE_OF_REAL_SERVERS;
  // What is loaded when first needed is loaded by a small run, so that the first seed goes like any other.
  if (onSandbox) await play({ ...WARM_UP, backend: "sandbox" });
  for (let seed = settings.seed; seed < settings.seed + seeds; seed += 1) yield play({ ...settings, seed });

  /** What starts servers is loaded where there are any. */
  async function open(clusters: number): Promise<World> {
    if (onSandbox) return openSandboxWorld(clusters, time, pace.credentialsMs);
    const { openRealWorld } = await import("./world/real-world.ts");
    return openRealWorld(clusters, time.now, pace.credentialsMs);
  }

  async function play(one: ChaosSettings): Promise<ChaosResult> {
    return time.run(async () => {
      const world = await time.hold(() => open(one.clusters));
      try {
        return await simulate(one, { world, wire, time, pace });
      } finally {
        await time.hold(() => world.stop());
      }
    });
  }
}

const STARTS_AT = Date.UTC(2026, 10, 24, 3);
const WARM_UP = { seed: 1, minutes: 3, rotations: 10, bindings: 110, clusters: 3 };
