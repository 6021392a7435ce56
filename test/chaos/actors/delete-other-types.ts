import { setTimeout as sleep } from "node:timers/promises";
import type { RulesJudge } from "../judge/rules-judge.ts";
import type { Random } from "../random.ts";
import type { Pace } from "../settings.ts";
import type { Fleet } from "../world/fleet.ts";

/**
 * Operators who delete a Secret whose type is not that of its binding, as the relay advises: nobody can change the type
 * of a Secret. Ends after one round if the time is over.
 */
export async function deleteOtherTypes(
  fleet: Fleet,
  rules: Pick<RulesJudge, "latestOf">,
  untilAt: number,
  { pace, random, now }: { readonly pace: Pace; readonly random: Random; readonly now: () => number },
): Promise<void> {
  do {
    if (now() < untilAt) await sleep(random.between(0, pace.publishEveryMs));
    for (const { relay, targets } of fleet.bindings) {
      for (const target of targets) {
        const wanted = rules.latestOf(relay)?.choices.get(target)?.type;
        if (wanted === undefined) continue;
        const admin = fleet.admin(target.cluster);
        const path = `/api/v1/namespaces/${target.namespace}/secrets/${target.name}`;
        const live = await admin(path).catch(() => undefined); // its API server is down
        if (live?.status !== 200 || live.body.type === wanted) continue;
        await admin(path, { method: "DELETE" }).catch(() => {});
      }
    }
  } while (now() < untilAt);
}
