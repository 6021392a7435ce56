import { type Bench, machine, quantile, round } from "./bench.ts";
import { startRelayUnderTest, withoutOutput } from "./relay-under-test.ts";

/**
 * One warm rotation: from the invocation of the handler to its answer. The handler answers after the API server has
 * accepted the new Secret and the logs and metrics are written.
 *
 * Each rotation is of another source and Secret, last written minutes ago (relay-under-test.ts gives the reason). No
 * server is in the handler's process, so `cpuP50Ms` is the function's own.
 *
 * The bindings are published in the backend's S3, as deployed. Every second rotation is by a local file of the same
 * bindings instead (`fileP50Ms`), so that the two can be compared. With `--round-trip-ms` every server is that far away,
 * so requests that are sent together overlap as on AWS. On the loopback they compete for the same cores instead.
 *
 * The floor is the same three calls on the same servers, made one after the other by a bare client whose connections,
 * token and signed request are ready. `timesFloor` is the rotation's median divided by the floor's.
 */
export const rotation: Bench = {
  summary: "one warm rotation, from the invocation to the written Secret",
  hasBackend: true,
  counts: {
    samples: { meaning: "rotations to measure", fallback: 200 },
    "round-trip-ms": { meaning: "network between the relay and each server", fallback: 0 },
  },
  run: async ({ backend, counts: { samples: count = 0, "round-trip-ms": roundTripMs = 0 } }) => {
    const sourceCount = 3 * (WARM_UP + count);
    const relay = await startRelayUnderTest(backend, { sourceCount, roundTripMs });
    try {
      const samples: number[] = [];
      const byFile: number[] = [];
      const cpuMsByFile: number[] = [];
      const cpuMs: number[] = [];
      const floor: number[] = [];
      const rotate = async (index: number, by: "published" | "file") => {
        const event = await relay.rotate(index);
        const cpu = process.cpuUsage();
        const startedAt = performance.now();
        await withoutOutput(() => relay.invoke(event, by));
        const ms = performance.now() - startedAt;
        const { user, system } = process.cpuUsage(cpu);
        await relay.mustHold(index);
        return { ms, cpuMs: (user + system) / 1_000 };
      };
      // Alternating, so that load affects all alike.
      for (let index = 0; index < WARM_UP + count; index += 1) {
        const published = await rotate(3 * index, "published");
        const local = await rotate(3 * index + 1, "file");
        if (index < WARM_UP) continue;
        samples.push(published.ms);
        cpuMs.push(published.cpuMs);
        byFile.push(local.ms);
        cpuMsByFile.push(local.cpuMs);
        floor.push(await relay.bareRoundTrips(3 * index + 2));
      }
      return {
        backend,
        roundTripMs,
        samples: samples.length,
        p50Ms: round(quantile(samples, 0.5), 2),
        p95Ms: round(quantile(samples, 0.95), 2),
        minMs: round(Math.min(...samples), 2),
        fileP50Ms: round(quantile(byFile, 0.5), 2),
        fileMinMs: round(Math.min(...byFile), 2),
        cpuP50Ms: round(quantile(cpuMs, 0.5), 2),
        fileCpuP50Ms: round(quantile(cpuMsByFile, 0.5), 2),
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

/** The first rotations connect, mint the token and make V8 compile the code. */
const WARM_UP = 20;
