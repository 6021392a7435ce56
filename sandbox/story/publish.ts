import type { RotationReport } from "../../functions/rotation/settle.ts";
import type { DeployedRelay } from "./deploy-relay.ts";
import { deployStack, type StartedSweep } from "./deploy-stack.ts";
import { printMs } from "./narrator.ts";
import { type CommandOutput, openDesk } from "./open-desk.ts";
import type { StoryWorld } from "./open-world.ts";
import { anyPassword, expectNoLeak, putPassword, short } from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** A change of bindings is one command: it takes effect at once, and so does its rollback. */
export const publish: StoryStep = {
  name: "publish",
  title: "new bindings are published, then rolled back",
  async run(world) {
    const { admin, narrator, sandbox } = world;
    await admin.grant(NAMESPACE, [OLD, NEW], sandbox.kubernetes.relayGroup, { findsOrphans: true });
    const passwords = [anyPassword(), anyPassword()];
    sandbox.aws.seedSecrets(
      [OLD, NEW].map((name, at) => ({
        name: sourceOf(name),
        value: JSON.stringify({ password: passwords[at] }),
      })),
    );
    const stack = await deployStack(sandbox, world.now);
    const desk = await openDesk(world);
    try {
      await desk.writeBindings(bindingsOf([OLD]));
      expectDone(await desk.run("publish", "--yes"));
      await sandbox.aws.events.settled();
      expectOutcome(stack.sweeps.at(-1), OLD, "written");
      narrator.done(
        `both functions read their bindings from a bucket; generation 1 binds Secret ${NAMESPACE}/${OLD}, and a sweep creates it`,
      );

      await desk.writeBindings(bindingsOf([OLD, NEW]));
      narrator.note(`bindings.yaml gets one more binding, of ${sourceOf(NEW)}; an operator publishes it:`);
      const startedAt = performance.now();
      const published = expectDone(await desk.run("publish", "--yes"));
      await sandbox.aws.events.settled();
      narrator.quote(published.printed);
      const swept = stack.sweeps.at(-1);
      expectOutcome(swept, NEW, "written");
      const ms = swept.endedAt - startedAt;
      await expectPassword(world, passwords[1], "after the publication");
      narrator.done(
        `the bucket's event starts a sweep, which first creates Secret ${NAMESPACE}/${NEW}; no function is deployed`,
        swept.ms,
      );

      const rotated = await rotate(world, stack.relay, passwords);
      expectThat(rotated.report?.targets[0]?.outcome === "written", "The new binding followed no rotation");
      await expectPassword(world, passwords.at(-1), "after the rotation");
      narrator.done(
        `a rotation of ${sourceOf(NEW)} then reaches the Secret: the rotation function has the new bindings, too`,
        rotated.ms,
      );

      const sweepsBefore = stack.sweeps.length;
      const rolledBack = expectDone(await desk.run("bindings", "rollback", "--yes"));
      await sandbox.aws.events.settled();
      narrator.done(`the operator rolls back (${printMs(rolledBack.ms)} for the command):`);
      narrator.quote(rolledBack.printed);
      expectThat(stack.sweeps.length > sweepsBefore, "The rollback started no sweep");
      const [changes] = stack.sweeps.at(-1)?.reports ?? [];
      const orphan = changes?.targets.find(({ name }) => name === NEW);
      expectThat(
        orphan?.finding === "ORPHAN" && orphan.outcome === undefined,
        `The sweep reports ${orphan?.finding ?? "nothing"} ${orphan?.outcome ?? ""} instead of an orphan`,
      );
      await expectPassword(world, passwords.at(-1), "after the rollback");
      narrator.done(
        `deletionPolicy is retain, the default: Secret ${NAMESPACE}/${NEW} stays, and the sweep reports it, ${orphan.finding}`,
      );
      const left = passwords.at(-1);
      const ignored = await rotate(world, stack.relay, passwords);
      expectThat(ignored.report?.targets.length === 0, "A rotation wrote a Secret that is no longer bound");
      await expectPassword(world, left, "after a rotation of a source that is no longer bound");
      narrator.done(`a further rotation of ${sourceOf(NEW)} leaves the Secret as it is`);
      expectNoLeak(passwords, [stack.relay.log, stack.reconcile.log, stack.sweeps, published, rolledBack]);

      narrator.result(
        ms,
        "from Enter until the new Secret was written: checks, difference, publication, event, sweep (measured, on this sandbox)",
      );
      narrator.note("on AWS, EventBridge's delivery and sometimes a cold start add to it");
      return { ms };
    } finally {
      stack.close();
      await desk.close();
    }
  },
};

const NAMESPACE = "billing";
const OLD = "invoices";
const NEW = "payments";

const sourceOf = (name: string): string => `prod/${name}`;

const bindingsOf = (names: readonly string[]): string => `version: 1
clusters:
  prod: { name: sandbox, region: eu-west-1 }
defaults: { namespace: ${NAMESPACE} }
bindings:
${names.map((name) => `  - { source: ${sourceOf(name)}, targets: [{ name: ${name} }] }`).join("\n")}
`;

type Rotated = { readonly report?: RotationReport; readonly ms: number };

/** Adds the new password to the list. */
async function rotate(world: StoryWorld, relay: DeployedRelay, passwords: string[]): Promise<Rotated> {
  world.passTime(2 * 60_000); // otherwise the relay reads twice before it replaces its own recent write
  const password = anyPassword();
  passwords.push(password);
  const versionId = await putPassword(world, sourceOf(NEW), password);
  await world.sandbox.aws.events.settled();
  const delivery = relay.deliveries.at(-1);
  expectThat(
    delivery?.report !== undefined,
    `The event of version ${short(versionId)} failed: ${delivery?.problem ?? "none arrived"}`,
  );
  return delivery;
}

function expectDone(output: CommandOutput): CommandOutput {
  expectThat(output.exitCode === 0, `secret-relay ended with ${output.exitCode}: ${output.printed}`);
  return output;
}

function expectOutcome(swept: StartedSweep | undefined, name: string, outcome: string): asserts swept {
  const [changes] = swept?.reports ?? [];
  const row = changes?.targets.find((target) => target.name === name);
  expectThat(
    row?.outcome === outcome,
    `The publication's sweep left ${NAMESPACE}/${name} ${row?.outcome ?? row?.code ?? "alone"}`,
  );
}

async function expectPassword({ admin }: StoryWorld, password: string | undefined, when: string) {
  const secret = await admin.readSecret(NAMESPACE, NEW);
  expectThat(
    password !== undefined && secret?.data.password === password,
    `Secret ${NAMESPACE}/${NEW} does not hold the expected password ${when}`,
  );
}
