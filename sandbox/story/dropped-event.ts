import type { DeployedSweep, Swept } from "./deploy-sweep.ts";
import { printMs } from "./narrator.ts";
import type { StoryWorld } from "./open-world.ts";
import { expectNoLeak, expectPassword, NAME, NAMESPACE, rotateUnseen, short } from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** An event gets lost, and a sweep repairs the target. */
export const droppedEvent: StoryStep = {
  name: "dropped-event",
  title: "a rotation whose event gets lost, and the sweep that finds it",
  async run(world) {
    const { narrator } = world;
    const { before, password, versionId } = await rotateUnseen(world);
    await expectPassword(world, before, "after a rotation whose event was lost");
    narrator.done(
      `AWSCURRENT is version ${short(versionId)}, its event is dropped, and the Secret stays behind`,
    );
    world.passTime(STALE_MS);
    narrator.note(`${printMs(STALE_MS)} pass (on the sandbox's clock); nothing happens until the next sweep`);

    const reconcile = await world.deploySweep(world.bindings);
    await expectPlan(world, reconcile);
    const { report, requests, ms } = await reconcile.sweep({ sweep: "metadata" });

    const outcome = report.targets[0]?.outcome;
    expectThat(outcome === "written", `The sweep did not repair what it found: ${outcome ?? "no finding"}`);
    expectThat(requests.sourceValues === 1, `The repair read ${requests.sourceValues} values of the source`);
    await expectPassword(world, password, "after the sweep");
    narrator.done(
      `a sweep repairs it by reading that one source: the Secret holds version ${short(versionId)}`,
    );
    expectNoLeak([password], [reconcile.log, report]);
    narrator.result(ms, "for the sweep that found and repaired it (measured, on this sandbox)");
    narrator.note(
      "without its event, a Secret is stale until the next sweep: at most 5 minutes, unless you change the schedule",
    );
    return { ms };
  },
};

const STALE_MS = 2 * 60_000;

/** Only a plan, so that its cost is measured separately from the repair. */
async function expectPlan({ narrator }: StoryWorld, reconcile: DeployedSweep): Promise<void> {
  const { report, requests }: Swept = await reconcile.sweep({ sweep: "metadata", plan: true });
  const [row] = report.targets;
  expectThat(row?.finding === "STALE", `The sweep found ${row?.finding ?? "nothing"} instead of STALE`);
  const { staleMs = 0 } = row;
  narrator.done(
    `a sweep by metadata, as a plan that changes nothing: ${NAMESPACE}/${NAME} is STALE, for at least ${printMs(staleMs)}`,
  );
  const valuesRead = requests.sourceValues + requests.secretValues;
  expectThat(valuesRead === 0, `The plan read ${valuesRead} values`);
  narrator.done(
    `calls for the plan: ${requests.awsCalls} to AWS, ${requests.kubernetesCalls} to the cluster; secret values read: ${valuesRead} (counted by their servers)`,
  );
  narrator.note(
    "one of those calls finds the cluster, once per start; another lists Secrets, which this Role does not allow",
  );
}
