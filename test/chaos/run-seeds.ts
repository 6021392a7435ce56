import { type ChaosSettings, PACE_OF_AWS, PACE_OF_REAL_SERVERS } from "./settings.ts";
import { type ChaosResult, simulate } from "./simulate.ts";
import { realTime } from "./time/real-time.ts";
import { virtualTime } from "./time/virtual-time.ts";
import { Transport } from "./transport/transport.ts";
import { openSandboxWorld } from "./world/sandbox-world.ts";
import type { World } from "./world/world.ts";

/** Runs one seed in this process, in a separate world. One run at a time: it replaces the clock and the network. */
export type Runner = (settings: ChaosSettings) => Promise<ChaosResult>;

/** One run after the other, starting with the seed of the settings. */
export async function* runSeeds(
  settings: ChaosSettings,
  seeds: number,
  trace?: (line: string) => void,
): AsyncGenerator<ChaosResult> {
  const run = await openRunner(settings.backend, trace);
  for (let seed = settings.seed; seed < settings.seed + seeds; seed += 1) yield run({ ...settings, seed });
}

export async function openRunner(
  backend: ChaosSettings["backend"],
  trace?: (line: string) => void,
): Promise<Runner> {
  const transport = new Transport(trace);
  const onSandbox = backend === "sandbox";
  const time = onSandbox ? virtualTime(STARTS_AT) : realTime();
  const pace = onSandbox ? PACE_OF_AWS : PACE_OF_REAL_SERVERS;

  /** The code that starts servers is loaded only if the run needs it. */
  const open = async (clusters: number): Promise<World> => {
    if (onSandbox) return openSandboxWorld(clusters, time, pace.credentialsMs);
    const { openRealWorld } = await import("./world/real-world.ts");
    return openRealWorld(clusters, time.now, pace.credentialsMs);
  };
  const run: Runner = (settings) =>
    time.run(async () => {
      const world = await time.hold(() => open(settings.clusters));
      try {
        return await simulate(settings, { world, transport, time, pace });
      } finally {
        await time.hold(() => world.stop());
      }
    });

  // A module that is loaded during a run takes the machine's time, which decides the order of what follows.
  if (onSandbox) {
    await Promise.all(LOADED_ON_FIRST_USE.map((load) => load()));
    await run({ ...WARM_UP, backend });
  }
  return run;
}

/** Those that a small run may not reach. */
const LOADED_ON_FIRST_USE: readonly (() => Promise<unknown>)[] = [
  () => import("../../shared/cluster/assume-with-sts.ts"),
  () => import("../../shared/cluster/describe-with-eks.ts"),
  () => import("../../shared/relay/follow-up.ts"),
  () => import("../../shared/relay/send-follow-up.ts"),
  () => import("../../shared/render/check-type.ts"),
  () => import("../../shared/render/compose-data.ts"),
  () => import("../../shared/runtime/send-with-sqs.ts"),
  () => import("../../shared/source/secrets-manager/read-tags.ts"),
];

const STARTS_AT = Date.UTC(2026, 10, 24, 3);
/** The smallest run with more than one shard. */
const WARM_UP = { seed: 1, minutes: 1, rotations: 5, bindings: 60, clusters: 3 };
