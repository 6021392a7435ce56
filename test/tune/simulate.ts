import type { PollingModel, RelayModel } from "../../cli/tune/staleness.ts";

export type Simulated = {
  readonly meanMs: number;
  /** Of the mean; the closed form lies within a few of them. */
  readonly standardErrorMs: number;
  /** The share of rotations that are written by then. */
  readonly shareBy: (ms: number) => number;
  readonly worstMs: number;
};

/** Rotations at random moments, against polls at fixed ones that may fail. */
export function simulatePolling({ intervalMs, pollFailures }: PollingModel, run: Run): Simulated {
  return simulate(run, (random) => {
    const rotatedAtMs = random() * intervalMs;
    // How often in a row a poll fails, by one throw and not by one for each poll: log(u) / log(p), rounded down.
    const missed = pollFailures > 0 ? Math.floor(Math.log(1 - random()) / Math.log(pollFailures)) : 0;
    return (1 + missed) * intervalMs - rotatedAtMs;
  });
}

/** Rotations at random moments, against events that may get lost and sweeps at fixed moments. */
export function simulateRelay(model: RelayModel, run: Run): Simulated {
  const { sweepIntervalMs, eventLoss, deliveryDelayMs, listDelayMs } = model;
  return simulate(run, (random) => {
    const rotatedAtMs = random() * sweepIntervalMs;
    const listedAtMs = rotatedAtMs + listDelayMs;
    const sweptAtMs = Math.ceil(listedAtMs / sweepIntervalMs) * sweepIntervalMs;
    const toldAtMs = random() < eventLoss ? Number.POSITIVE_INFINITY : rotatedAtMs + deliveryDelayMs;
    return Math.min(sweptAtMs, toldAtMs) - rotatedAtMs;
  });
}

type Run = { readonly seed: number; readonly rotations: number };

function simulate({ seed, rotations }: Run, sample: (random: () => number) => number): Simulated {
  const random = randomFrom(seed);
  const samples = new Float64Array(rotations);
  for (let index = 0; index < rotations; index += 1) samples[index] = sample(random);
  samples.sort();
  const meanMs = samples.reduce((sum, each) => sum + each, 0) / rotations;
  const variance = samples.reduce((sum, each) => sum + (each - meanMs) ** 2, 0) / rotations;
  return {
    meanMs,
    standardErrorMs: Math.sqrt(variance / rotations),
    shareBy: (ms) => samples.filter((each) => each <= ms).length / rotations,
    worstMs: samples.at(-1) ?? 0,
  };
}

/** Marsaglia's xorshift32 over a Weyl sequence: even enough for this, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  let weyl = 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    weyl = (weyl + 362_437) | 0;
    return ((state + weyl) >>> 0) / 2 ** 32;
  };
}
