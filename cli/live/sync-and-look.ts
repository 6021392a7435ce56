import pMap from "p-map";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import { syncSource } from "../../shared/sync/sync-source.ts";
import { startTimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Tell } from "../terminal/progress.ts";
import type { Live } from "./open-live.ts";
import { type Sight, sightBindings } from "./sight.ts";

/** One target before and after. */
export type Synced = {
  readonly before: Sight;
  readonly after: Sight;
  readonly outcome: SyncOutcome;
};

/** Syncs through the fence, and looks at each target before and after: what the cluster says counts, not what we did. */
export async function syncAndLook(
  live: Live,
  groups: readonly SourceBindings[],
  { timeoutMs, tell }: { timeoutMs: number; tell: Tell },
): Promise<Synced[]> {
  const budget = startTimeBudget(timeoutMs);
  const before = await sightBindings(live, groups, budget);
  const total = groups.reduce((sum, { bindings }) => sum + bindings.length, 0);
  const outcomes = new Map<string, SyncOutcome>();
  await pMap(
    groups,
    async ({ source, bindings }) => {
      for (const outcome of await syncSource(live, { source, bindings, budget })) {
        outcomes.set(keyOf(outcome.target), outcome);
      }
      tell(`${outcomes.size} of ${total} Secrets`);
    },
    { concurrency: live.targetsAtOnce },
  );
  const after = new Map(
    (await sightBindings(live, groups, budget)).map((sight) => [keyOf(sight.binding.target), sight]),
  );
  return before.flatMap((seen) => {
    const key = keyOf(seen.binding.target);
    const outcome = outcomes.get(key);
    const seenAfter = after.get(key);
    return outcome && seenAfter ? [{ before: seen, after: seenAfter, outcome }] : [];
  });
}

function keyOf({ cluster, namespace, name }: SyncOutcome["target"]): string {
  return `${cluster}/${namespace}/${name}`;
}
