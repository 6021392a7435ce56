import { setTimeout as sleep } from "node:timers/promises";
import type { Recorder } from "./judge/recorder.ts";
import type { EventBus } from "./lambda/event-bus.ts";
import type { Lambda } from "./lambda/lambda.ts";
import type { ShardSource } from "./lambda/shard-source.ts";
import { DELETION_GRACE_MS, type Pace, SKEW_MS_MAX } from "./settings.ts";
import type { World } from "./world/world.ts";

/** One installation, as the world sees it. */
export type Installation = {
  readonly name: string;
  readonly rotation: Lambda;
  readonly sweep: Lambda;
  readonly bus: EventBus;
  /** Of publications, each of which starts a sweep. */
  readonly publications: EventBus;
};

type Parts = {
  readonly relays: readonly [Installation, ...Installation[]];
  readonly shards: ShardSource;
  readonly recorder: Recorder;
  readonly world: World;
  readonly pace: Pace;
  /** Operators do what the findings advise. */
  readonly operate: () => Promise<void>;
  readonly now: () => number;
  readonly listStaleMs: number;
};

/**
 * The faults end: pending deliveries arrive, an operator redrives the failure queues, and the next sweeps run. Then
 * every queue must be empty, and the last sweeps must find nothing.
 */
export async function settle(parts: Parts): Promise<void> {
  const { relays, shards, recorder, world, listStaleMs, pace } = parts;
  await drain(parts);
  for (const { rotation, sweep } of relays) {
    for (const invocation of [...rotation.failureQueue, ...sweep.failureQueue]) recorder.failed(invocation);
    rotation.redrive();
    sweep.redrive();
  }
  await shards.redrive();
  await drain(parts);

  // No hold lasts that long, and a sweep repairs again what was contested.
  await sleep(Math.max(listStaleMs, pace.contestMs));
  world.listsAreStaleFor(0);
  await parts.operate();
  const sweepAll = async (): Promise<void> => {
    for (const mode of ["metadata", "values"]) {
      for (const { sweep } of relays) sweep.invokeLater({ sweep: mode });
      await drain(parts);
    }
  };
  await sweepAll();
  await sleep(DELETION_GRACE_MS + 2 * SKEW_MS_MAX); // the second observation deletes
  await sweepAll();
  const driftsBefore = recorder.counts.drifts;
  const leftBefore = recorder.counts.left;
  await sweepAll();
  const repaired = recorder.counts.drifts - driftsBefore - (recorder.counts.left - leftBefore);
  if (repaired > 0) {
    recorder.violations.push({ rule: "settled", what: `the last sweeps still find ${repaired} drift(s)` });
  }

  await findLost(parts);
}

/** Every delivered event must have been processed in the end, and no queue may hold anything. */
async function findLost({ relays, shards, recorder }: Parts): Promise<void> {
  const left = await shards.left();
  const undone = relays
    .flatMap(({ rotation, sweep }) => [...rotation.invocations, ...sweep.invocations])
    .filter(({ state }) => state !== "succeeded" && state !== "gone with its stack");
  const sum = (count: (relay: Installation) => number): number =>
    relays.reduce((total, relay) => total + count(relay), 0);
  const lost = {
    "event(s) that the function never received": sum(
      ({ bus, rotation }) => bus.counts.delivered - rotation.invocations.length,
    ),
    "invocation(s) that did not succeed in the end": undone.length,
    "shard(s) that are still in the queue": left.queue,
    "shard(s) in the dead letter queue": left.deadLetters,
    "lost shard(s)": shards.lostOf(recorder.shardsSent),
    "bus(es) with events in flight": sum(({ bus, publications }) =>
      bus.isIdle && publications.isIdle ? 0 : 1,
    ),
  };
  for (const [what, count] of Object.entries(lost))
    if (count > 0) recorder.violations.push({ rule: "queue", what: `${count} ${what}` });
}

/** Until nothing is in flight. */
async function drain({ relays, shards, recorder, pace, now }: Parts): Promise<void> {
  const [{ sweep: withQueue }] = relays;
  if (recorder.violations.some(({ rule }) => rule === "watch")) return; // it has not ended before
  for (const endsAt = now() + DRAIN_MS_MAX; now() < endsAt; ) {
    const polled = await shards.poll(withQueue);
    const { queue } = await shards.left();
    const isIdle = relays.every((relay) =>
      [relay.bus, relay.publications, relay.rotation, relay.sweep].every((part) => part.isIdle),
    );
    if (isIdle && queue === 0) return;
    // A message that is delayed, or whose invocation was killed, is not visible for a while.
    const pauses = isIdle && polled === 0 ? 4 : 1;
    await sleep(pauses * Math.min(5_000, (pace.retryDelaysMs[0] ?? 1_000) / 4));
  }
  recorder.violations.push({ rule: "watch", what: "messages to look at a rollout are sent without end" });
}

/** Longer than the visibility timeout of a message for each of its receives, and the deadline of a rollout. */
const DRAIN_MS_MAX = 2 * 3_600_000;
