import { type Bench, machine, quantile, round } from "./bench.ts";
import { startRelayUnderTest, withoutOutput } from "./relay-under-test.ts";

/**
 * A warm single rotation: from the invocation of the handler until it has answered, which it does after the API server
 * has accepted the new Secret and the log lines and metrics are written.
 *
 * One rotation at a time, each of another source and Secret that were last written minutes ago (relay-under-test.ts says
 * why). On the sandbox the servers share the handler's process and its one thread; on real servers they do not.
 *
 * The floor is what nobody can go below: the same three calls on the same servers, one after the other, by a bare client
 * with its connections open, its token minted and its request signed beforehand. `timesFloor` is the one over the other.
 */
export const rotation: Bench = {
  summary: "one warm rotation, from invocation to Secret written",
  hasBackend: true,
  counts: { samples: { means: "rotations to measure", otherwise: 200 } },
  run: async ({ backend, counts: { samples: wanted = 0 } }) => {
    const relay = await startRelayUnderTest(backend, WARM_UP + 2 * wanted);
    try {
      const samples: number[] = [];
      const cpuMs: number[] = [];
      const floor: number[] = [];
      for (let index = 0; index < WARM_UP + wanted; index += 1) {
        const event = await relay.rotate(index);
        const cpu = process.cpuUsage();
        const startedAt = performance.now();
        await withoutOutput(() => relay.invoke(event));
        const ms = performance.now() - startedAt;
        const { user, system } = process.cpuUsage(cpu);
        await relay.mustHold(index);
        if (index < WARM_UP) continue;
        samples.push(ms);
        cpuMs.push((user + system) / 1_000);
        floor.push(await relay.bareRoundTrips(wanted + index)); // in turns: whatever slows one slows the other
      }
      return {
        backend,
        samples: samples.length,
        p50Ms: round(quantile(samples, 0.5), 2),
        p95Ms: round(quantile(samples, 0.95), 2),
        minMs: round(Math.min(...samples), 2),
        cpuP50Ms: round(quantile(cpuMs, 0.5), 2),
        floorP50Ms: round(quantile(floor, 0.5), 2),
        floorMinMs: round(Math.min(...floor), 2),
        timesFloor: round(quantile(samples, 0.5) / quantile(floor, 0.5), 3),
        machine: machine(),
      };
    } finally {
      await relay.stop();
    }
  },
};

/** The first ones connect, mint the token and let V8 compile. */
const WARM_UP = 20;
