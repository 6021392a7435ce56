import { type Bench, machine, quantile, round } from "./bench.ts";
import { type RelayUnderTest, startRelayUnderTest, withoutOutput } from "./relay-under-test.ts";

/**
 * Many rotations at once: the handler gets every event at the same time, and every Secret must end with its new value.
 * The handler and its connections are warm, and each source was last written minutes ago. A burst takes a second or two,
 * so the bench runs several, each on its own sources, and reports the median.
 *
 * In Lambda each event has its own execution environment. Here all events share one process and its token, so the rate is
 * the rate of one core.
 */
export const burst: Bench = {
  summary: "many rotations at the same time",
  hasBackend: true,
  counts: {
    events: { meaning: "rotations at once", fallback: 200 },
    samples: { meaning: "bursts; the median is reported", fallback: 3 },
    clusters: { meaning: "clusters that the rotations take turns on (real servers: 1)", fallback: 1 },
  },
  run: async ({ backend, counts: { events = 0, samples = 0, clusters = 1 } }) => {
    const relay = await startRelayUnderTest(backend, {
      sourceCount: WARM_UP + events * samples,
      clusterCount: clusters,
    });
    try {
      for (let index = 0; index < WARM_UP; index += 1) {
        const event = await relay.rotate(index);
        await withoutOutput(() => relay.invoke(event));
        await relay.mustHold(index);
      }
      const rounds: Round[] = [];
      for (let index = 0; index < samples; index += 1) {
        rounds.push(await runBurst(relay, WARM_UP + events * index, events));
      }
      const seconds = quantile(
        rounds.map((round) => round.seconds),
        0.5,
      );
      return {
        backend,
        events,
        clusters,
        failed: rounds.reduce((sum, { failed }) => sum + failed, 0), // in all rounds
        seconds: round(seconds, 3),
        perSecond: round(events / seconds),
        roundsPerSecond: rounds.map((each) => round(events / each.seconds)),
        cpuMsPerEvent: round(
          quantile(
            rounds.map(({ cpuMs }) => cpuMs / events),
            0.5,
          ),
          2,
        ),
        machine: machine(),
      };
    } finally {
      await relay.stop();
    }
  },
};

type Round = { readonly seconds: number; readonly cpuMs: number; readonly failed: number };

async function runBurst(relay: RelayUnderTest, from: number, count: number): Promise<Round> {
  const indexes = Array.from({ length: count }, (_, offset) => from + offset);
  const events: object[] = [];
  for (const index of indexes) events.push(await relay.rotate(index));

  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const answers = await withoutOutput(() => Promise.allSettled(events.map((event) => relay.invoke(event))));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);

  const checked = await Promise.allSettled(indexes.map((index) => relay.mustHold(index)));
  const failed = indexes.filter(
    (_, index) => answers[index]?.status === "rejected" || checked[index]?.status === "rejected",
  ).length;
  return { seconds, cpuMs: (user + system) / 1_000, failed };
}

const WARM_UP = 20;
