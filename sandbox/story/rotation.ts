import { randomUUID } from "node:crypto";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { printMs } from "./narrator.ts";
import type { StoryWorld } from "./open-world.ts";
import {
  anyPassword,
  expectNoLeak,
  expectPassword,
  NAME,
  NAMESPACE,
  SOURCE,
  short,
} from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** The main path: a rotation, the native event, and the new password in the bound Secret. */
export const rotation: StoryStep = {
  name: "rotation",
  title: "a password is rotated, and the cluster has it",
  async run(world) {
    const { relay, sandbox, narrator } = world;

    const first = { username: "shop", password: anyPassword() };
    const made = await world.secretsManager.send(
      new CreateSecretCommand({ Name: SOURCE, SecretString: JSON.stringify(first) }),
    );
    narrator.note("bindings.yaml binds the secret to its targets:");
    narrator.quote(world.bindings);
    await world.admin.grant(NAMESPACE, [NAME], sandbox.kubernetes.relayGroup);
    await expectNoFurtherRights(world);
    narrator.done(
      `the relay may get, create and patch Secret ${NAMESPACE}/${NAME}; reading any other gives 403`,
    );

    const synced = await relay.invoke({ secretId: SOURCE });
    expectThat(synced.report?.targets[0]?.outcome === "written", `The first sync failed: ${synced.problem}`);
    await expectPassword(world, first.password, "after the first sync");
    narrator.done(`first sync: the Secret exists, version ${short(made.VersionId)}`, synced.ms);
    narrator.note("that time includes finding the cluster, minting a token and all TLS handshakes");

    // Within a minute of its own write the relay reads twice before it replaces the value, which takes 50 ms more.
    world.passTime(2 * 60_000);
    narrator.note("two minutes pass (on the sandbox's clock)");
    const second = { ...first, password: anyPassword() };
    const versionId = randomUUID();
    await world.secretsManager.send(
      new PutSecretValueCommand({
        SecretId: SOURCE,
        ClientRequestToken: versionId,
        SecretString: JSON.stringify(second),
        VersionStages: ["AWSPENDING"],
      }),
    );
    await sandbox.aws.events.settled();
    expectThat(relay.deliveries.length === 0, "The relay was called for a version that is not current yet");
    await expectPassword(world, first.password, "while the new version is pending");
    narrator.done(`rotation begins: AWSPENDING is version ${short(versionId)}, the Secret stays as it is`);

    await world.secretsManager.send(
      new UpdateSecretVersionStageCommand({
        SecretId: SOURCE,
        VersionStage: "AWSCURRENT",
        MoveToVersionId: versionId,
        RemoveFromVersionId: made.VersionId,
      }),
    );
    await sandbox.aws.events.settled();
    const delivery = relay.deliveries.at(-1);
    expectThat(delivery !== undefined, "Moving AWSCURRENT sent no event");
    expectThat(delivery.report?.targets[0]?.outcome === "written", `The event failed: ${delivery.problem}`);
    narrator.done(
      `rotation ends: AWSCURRENT moves, and the event "${delivery.event["detail-type"]}" is sent`,
    );
    const written = await expectPassword(world, second.password, "after the rotation");
    expectThat(
      written.annotations["secret-relay/version-id"] === versionId,
      "The Secret is annotated with another version",
    );
    narrator.done(`new password is in the Secret: yes, version ${short(versionId)}`);
    expectNoLeak([first.password, second.password], relay.log);
    narrator.done(`the relay's log holds no password (${relay.log.length} lines)`);

    narrator.result(
      delivery.ms,
      "from the event's arrival until the Secret was written (measured, on this sandbox)",
    );
    for (const intervalMs of POLLING_INTERVALS_MS) {
      narrator.note(
        `polling every ${printMs(intervalMs)} takes up to ${printMs(intervalMs)}, half of that on average (computed, not measured)`,
      );
    }
    narrator.note("on AWS, EventBridge's delivery and sometimes a cold start add to it");
    return { ms: delivery.ms };
  },
};

const POLLING_INTERVALS_MS = [5 * 60_000, 60 * 60_000];

async function expectNoFurtherRights({ admin, relay, role, sandbox }: StoryWorld): Promise<void> {
  const bearer = await relay.mintToken(sandbox.kubernetes.clusterName, role.issue());
  const secrets = `/api/v1/namespaces/${NAMESPACE}/secrets`;
  for (const path of [secrets, `${secrets}/another`, "/api/v1/namespaces/kube-system/secrets"]) {
    const status = await admin.statusOf(path, bearer);
    expectThat(status === 403, `The relay should not be allowed to read ${path}: HTTP ${status}`);
  }
}
