import { setTimeout as sleep } from "node:timers/promises";
import type { Witness } from "./judge/witness.ts";
import type { EventBus } from "./lambda/event-bus.ts";
import type { Lambda } from "./lambda/lambda.ts";
import type { ShardSource } from "./lambda/shard-source.ts";
import type { Pace } from "./settings.ts";
import type { World } from "./world/world.ts";

type Parts = {
  readonly rotation: Lambda;
  readonly sweep: Lambda;
  readonly bus: EventBus;
  readonly shards: ShardSource;
  readonly witness: Witness;
  readonly world: World;
  readonly pace: Pace;
  readonly listStaleMs: number;
};

/**
 * The trouble is over: what is on its way arrives, a person redrives the failure queues, and the next sweeps run. Then
 * nothing may be left in any queue, and the last sweeps may find nothing.
 */
export async function settle(parts: Parts): Promise<void> {
  const { rotation, sweep, shards, witness, world, listStaleMs } = parts;
  await drain(parts);
  for (const invocation of [...rotation.failureQueue, ...sweep.failureQueue]) witness.failed(invocation);
  rotation.redrive();
  sweep.redrive();
  await shards.redrive();
  await drain(parts);

  await sleep(listStaleMs);
  world.listsAreStaleFor(0);
  for (const mode of ["metadata", "values"]) {
    sweep.invokeLater({ sweep: mode });
    await drain(parts);
  }
  const driftsBefore = witness.counts.drifts;
  const leftBefore = witness.counts.left;
  for (const mode of ["metadata", "values"]) {
    sweep.invokeLater({ sweep: mode });
    await drain(parts);
  }
  const repaired = witness.counts.drifts - driftsBefore - (witness.counts.left - leftBefore);
  if (repaired > 0) {
    witness.violations.push({ rule: "settled", what: `the last sweeps still find ${repaired} drift(s)` });
  }

  await findLost(parts);
}

/** Everything that was handed over must have been done in the end, and nothing may be left anywhere. */
async function findLost({ rotation, sweep, bus, shards, witness }: Parts): Promise<void> {
  const left = await shards.left();
  const undone = [...rotation.invocations, ...sweep.invocations].filter(({ state }) => state !== "succeeded");
  const lost = {
    "event(s) that the function never got": bus.counts.delivered - rotation.invocations.length,
    "invocation(s) that did not succeed in the end": undone.length,
    "shard(s) that are still in the queue": left.queue,
    "shard(s) in the dead letter queue": left.deadLetters,
    "shard(s) that are nowhere": shards.lostOf(witness.shardsSent),
    "event(s) on their way": bus.isIdle ? 0 : 1,
  };
  for (const [what, count] of Object.entries(lost))
    if (count > 0) witness.violations.push({ rule: "queue", what: `${count} ${what}` });
}

/** Until nothing is on its way any more. */
async function drain({ rotation, sweep, bus, shards, pace }: Parts): Promise<void> {
  for (;;) {
    await shards.poll(sweep);
    const { queue } = await shards.left();
    if (bus.isIdle && rotation.isIdle && sweep.isIdle && queue === 0) return;
    await sleep(Math.min(5_000, (pace.retryDelaysMs[0] ?? 1_000) / 4));
  }
}
