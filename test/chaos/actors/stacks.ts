import { setTimeout as sleep } from "node:timers/promises";
import type { RulesJudge } from "../judge/rules-judge.ts";
import type { Random } from "../random.ts";
import type { Pace } from "../settings.ts";
import type { Installation } from "../settle.ts";
import type { World } from "../world/world.ts";
import { bucketOf, type Publishers } from "./publishers.ts";

type StackParts = {
  readonly world: World;
  readonly relay: Installation;
  readonly publishers: Publishers;
  readonly judge: RulesJudge;
  /** The new stack makes an empty bucket, instead of following the one that the deleted stack has left. */
  readonly isEmpty: boolean;
};

/**
 * The stack of one relay is deleted and made again. What its functions knew, and what waited for a retry, is gone. Until
 * the bindings are published in an empty bucket, nothing is bound.
 */
export async function remakeStack(
  { world, relay, publishers, judge, isEmpty }: StackParts,
  untilAt: number,
  { pace, random, now }: { readonly pace: Pace; readonly random: Random; readonly now: () => number },
): Promise<void> {
  const { rotation, sweep, name } = relay;
  await sleep(random.between(0.3, 0.7) * (untilAt - now()));
  publishers.pause();
  rotation.remove();
  sweep.remove();
  if (isEmpty) {
    await world.emptyBucket(bucketOf(name));
    judge.noteEmptied(name, now());
  }
  await sleep(Math.min(random.between(...pace.stackGoneMs), 0.2 * (untilAt - now())));
  rotation.makeAgain();
  sweep.makeAgain();
  sweep.invokeLater({ sweep: "metadata" }); // a new schedule starts one at once
  if (isEmpty) {
    await sleep(Math.min(random.between(...pace.unpublishedMs), 0.2 * (untilAt - now())));
    await publishers.first();
  }
  publishers.resume();
}
