import type { LogCode, LogFields } from "../../shared/runtime/log.ts";
import type { DeployedRelay } from "./deploy-relay.ts";
import type { DeployedSweep } from "./deploy-sweep.ts";
import { type Desk, openDesk } from "./open-desk.ts";
import type { StoryWorld } from "./open-world.ts";
import { anyPassword, expectNoLeak, putPassword, short } from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";
import {
  breakPod,
  countNewPods,
  DEADLINE_SECONDS,
  installWeb,
  NAME,
  NAMESPACE,
  PODS,
  SECONDS_PER_POD,
  SECRET,
  SOURCE,
} from "./web-deployment.ts";
import { createWorkQueue, type WorkQueue } from "./work-queue.ts";

/** A rotation is over when the pods run with the new value: the relay restarts them, and follows the rollout. */
export const rollout: StoryStep = {
  name: "rollout",
  title: "pods that read a password only when they start are restarted",
  async run(world) {
    const { narrator } = world;
    const passwords = [anyPassword(), anyPassword(), anyPassword()] as const;
    await installWeb(world, passwords[0]);
    narrator.note("the binding also names the Deployment whose pods read the Secret:");
    narrator.quote(BINDINGS);
    const stack = await deployFollowing(world);
    const desk = await openDesk(world, LOCAL);
    const endHold = world.holdTime();
    try {
      await desk.writeBindings(BINDINGS);
      narrator.done(
        `Deployment ${NAME} has ${PODS} pods; a new one needs ${SECONDS_PER_POD} s to start (simulated)`,
      );
      const ms = await playCompleteRollout(world, stack, passwords[1]);
      const told = await playStuckRollout(world, stack, desk, passwords[2]);
      expectNoLeak(passwords, [stack.relay.log, stack.reconcile.log, told]);
      return { ms };
    } finally {
      endHold();
      stack.queue.close();
      await desk.close();
    }
  },
};

const BINDINGS = `version: 1
clusters:
  prod: { name: sandbox, region: eu-west-1 }
bindings:
  - source: ${SOURCE}
    targets:
      - namespace: ${NAMESPACE}
        name: ${SECRET}
        restart: [{ kind: Deployment, name: ${NAME} }]
`;

/** Not shown. This step publishes nothing. */
const LOCAL = ["-b", "bindings.yaml"];

/** The relay's pauses before its first two looks. */
const [FIRST_PAUSE, SECOND_PAUSE] = [5, 10];
const STUCK_POD = 2;

/** Both functions, and the queue between them. */
type Stack = { readonly relay: DeployedRelay; readonly reconcile: DeployedSweep; readonly queue: WorkQueue };

async function deployFollowing(world: StoryWorld): Promise<Stack> {
  const queue = await createWorkQueue(world.role.issue());
  const setting = { WORK_QUEUE_URL: queue.url };
  const relay = await world.deployRelay(BINDINGS, setting);
  const reconcile = await world.deploySweep(BINDINGS, setting);
  const { report } = await reconcile.sweep({ sweep: "metadata" });
  expectThat(report.targets[0]?.outcome === "written", "The first sweep did not create the Secret");
  return { relay, reconcile, queue };
}

/** Resolves to the time to effective. */
async function playCompleteRollout(world: StoryWorld, stack: Stack, password: string): Promise<number> {
  const { narrator } = world;
  const versionId = await rotate(world, stack, password);
  narrator.done(
    `AWSCURRENT is version ${short(versionId)}: the relay writes it into the Secret and restarts the Deployment`,
  );
  await lookAfter(world, stack, FIRST_PAUSE);
  const newPods = await countNewPods(world);
  expectThat(newPods < PODS, "The rollout was complete at the first look");
  narrator.done(
    `${FIRST_PAUSE} s later (on the sandbox's clock) a delayed message makes the relay look: ${newPods} of ${PODS} pods run with the version`,
  );
  await lookAfter(world, stack, SECOND_PAUSE);
  logged(stack, "ROLLOUT_COMPLETED");
  narrator.done(
    `${SECOND_PAUSE} s later it looks again: all ${PODS} pods do; no function has waited for that`,
  );
  const { effectiveMs = 0 } = logged(stack, "ROTATION_EFFECTIVE");
  narrator.result(
    effectiveMs,
    "from the move of AWSCURRENT until the last pod ran with the version (on the sandbox's clock)",
  );
  narrator.note(
    "that is the time of the pods alone: in this step, the clock stands still while the relay works",
  );
  return effectiveMs;
}

/** Resolves to what the command printed. */
async function playStuckRollout(
  world: StoryWorld,
  stack: Stack,
  desk: Desk,
  password: string,
): Promise<object> {
  const { narrator } = world;
  await breakPod(world, STUCK_POD);
  const versionId = await rotate(world, stack, password);
  narrator.done(
    `another rotation, to version ${short(versionId)}: new pod ${STUCK_POD} does not become ready, and after ${DEADLINE_SECONDS} s the Deployment gives up`,
  );
  await lookAfter(world, stack, FIRST_PAUSE);
  await lookAfter(world, stack, SECOND_PAUSE);
  const { workload, code } = logged(stack, "ROLLOUT_STUCK");
  expectThat(code === "ProgressDeadlineExceeded", `The rollout is stuck with the reason ${code}`);
  narrator.done(`the relay's next look reports it, ROLLOUT_STUCK: ${workload}, ${code}`);
  const stuck = await desk.run("status", `${NAMESPACE}/${SECRET}`);
  expectThat(stuck.exitCode === 1, "secret-relay status did not end with 1 for a stuck rollout");
  narrator.done("secret-relay status ends with 1, and prints the command to run next:");
  narrator.quote(stuck.printed);

  await breakPod(world, undefined);
  world.passTime(PODS * SECONDS_PER_POD * 1_000);
  const { report } = await stack.reconcile.sweep({ sweep: "metadata" });
  expectThat(report.targets[0]?.finding === null, "The sweep did not find the rollout complete");
  const ended = await desk.run("status", `${NAMESPACE}/${SECRET}`);
  expectThat(ended.exitCode === 0, "secret-relay status does not report the rollout as complete");
  narrator.done(
    "the pod becomes ready after all: the rollout completes, a sweep records that, and status ends with 0",
  );
  return [stuck, ended];
}

/** Returns the new version. It is in the Secret, and the Deployment is restarted for it. */
async function rotate(world: StoryWorld, { relay }: Stack, password: string): Promise<string> {
  world.passTime(2 * 60_000); // otherwise the relay reads twice before it replaces its own recent write
  const logBefore = relay.log.length;
  const versionId = await putPassword(world, SOURCE, password);
  await world.sandbox.aws.events.settled();
  const delivery = relay.deliveries.at(-1);
  expectThat(
    delivery?.report?.targets[0]?.outcome === "written",
    `The event failed: ${delivery?.problem ?? "no event arrived"}`,
  );
  const isRestarted = relay.log.slice(logBefore).some(({ code }) => code === "WORKLOAD_RESTARTED");
  expectThat(isRestarted, "The relay did not restart the Deployment");
  return versionId;
}

/** The delay of a message passes, and the queue invokes the function. */
async function lookAfter(world: StoryWorld, { queue, reconcile }: Stack, seconds: number): Promise<void> {
  world.passTime(seconds * 1_000);
  const delivered = await queue.deliver(reconcile);
  expectThat(delivered === 1, `${delivered} messages were due after ${seconds} s`);
}

function logged({ reconcile }: Stack, code: LogCode): LogFields {
  const line = reconcile.log.findLast((each) => each.code === code);
  expectThat(line !== undefined, `The relay did not log ${code}`);
  return line.fields;
}
