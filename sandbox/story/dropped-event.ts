import type { DeployedSweep, Swept } from "./deploy-sweep.ts";
import { printMs } from "./narrator.ts";
import type { StoryWorld } from "./open-world.ts";
import { expectNoLeak, expectPassword, NAME, NAMESPACE, rotateUnseen, short } from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** What an event-driven system must not be without: its event gets lost, and a sweep finds what nobody was told. */
export const droppedEvent: StoryStep = {
  name: "dropped-event",
  title: "a rotation whose event gets lost, and the sweep that finds it",
  async run(world) {
    const { tell } = world;
    const { before, password, versionId } = await rotateUnseen(world);
    await expectPassword(world, before, "after a rotation that nobody heard of");
    tell.done(`AWSCURRENT is version ${short(versionId)}, its event is dropped, and the Secret stays behind`);
    world.passTime(STALE_MS);
    tell.note(`${printMs(STALE_MS)} pass (on the sandbox's clock); nothing happens until somebody looks`);

    const reconcile = await world.deploySweep(world.bindings);
    await expectPlan(world, reconcile);
    const { report, asked, ms } = await reconcile.sweep({ sweep: "metadata" });

    const outcome = report.targets[0]?.outcome;
    expectThat(outcome === "written", `The sweep did not repair what it found: ${outcome ?? "no finding"}`);
    expectThat(asked.sourceValues === 1, `The repair read ${asked.sourceValues} values of the source`);
    await expectPassword(world, password, "after the sweep");
    tell.done(`a sweep repairs it by reading that one source: the Secret holds version ${short(versionId)}`);
    expectNoLeak([password], [reconcile.log, report]);
    tell.result(ms, "for the sweep that found and repaired it (measured, on this sandbox)");
    tell.note("without the event, staleness is bounded by the schedule: 5 minutes unless you change it");
    return { ms };
  },
};

const STALE_MS = 2 * 60_000;

/** Looking alone, so that what it costs can be told apart from the repair. */
async function expectPlan({ tell }: StoryWorld, reconcile: DeployedSweep): Promise<void> {
  const { report, asked }: Swept = await reconcile.sweep({ sweep: "metadata", plan: true });
  const [row] = report.targets;
  expectThat(row?.finding === "STALE", `The sweep found ${row?.finding ?? "nothing"} instead of STALE`);
  const { staleMs = 0 } = row;
  tell.done(
    `a sweep by metadata, as a plan: ${NAMESPACE}/${NAME} is STALE, for at least ${printMs(staleMs)}`,
  );
  const valuesRead = asked.sourceValues + asked.secretValues;
  expectThat(valuesRead === 0, `Looking read ${valuesRead} values`);
  tell.done(
    `calls to look: ${asked.awsCalls} to AWS, ${asked.kubernetesCalls} to the cluster; secret values read: ${valuesRead} (counted by their servers)`,
  );
  tell.note(
    "of those calls one finds the cluster, once per start, and one asks for a list, which this Role denies",
  );
}
