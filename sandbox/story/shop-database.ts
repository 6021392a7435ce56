import { randomBytes } from "node:crypto";
import { PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import type { LogLine } from "./deploy-relay.ts";
import type { SecretInCluster } from "./kubernetes-admin.ts";
import type { StoryWorld } from "./open-world.ts";
import { expectThat } from "./story-problem.ts";

/** The password of the story: a source, and the Secret bound to it. */
export const SOURCE = "prod/db";
export const NAMESPACE = "shop";
export const NAME = "db";

export const anyPassword = (): string => randomBytes(18).toString("base64url");

/** Enough of a VersionId to distinguish it from another. */
export const short = (versionId = "unknown"): string => `${versionId.slice(0, 8)}…`;

/** A new value that is current immediately, without the pending phase of a real rotation. */
export async function putPassword({ secretsManager }: StoryWorld, source: string, password: string) {
  const SecretString = JSON.stringify({ username: NAMESPACE, password });
  const { VersionId: versionId = "" } = await secretsManager.send(
    new PutSecretValueCommand({ SecretId: source, SecretString }),
  );
  return versionId;
}

export type UnseenRotation = {
  /** The outdated value that the Secret holds. */
  readonly before: string;
  readonly password: string;
  readonly versionId: string;
};

/** A rotation whose event is dropped. */
export async function rotateUnseen(world: StoryWorld): Promise<UnseenRotation> {
  const { data } = await readShopSecret(world, "before the rotation");
  const password = anyPassword();
  const { relay, sandbox } = world;
  const { events } = sandbox.aws;
  const { delivery } = events;
  const deliveredBefore = relay.deliveries.length;
  events.delivery = () => []; // EventBridge delivers these events on a best-effort basis
  try {
    const versionId = await putPassword(world, SOURCE, password);
    await events.settled();
    expectThat(relay.deliveries.length === deliveredBefore, "The relay was called for the dropped event");
    return { before: data.password ?? "", password, versionId };
  } finally {
    events.delivery = delivery;
  }
}

export async function readShopSecret({ admin }: StoryWorld, when: string): Promise<SecretInCluster> {
  const secret = await admin.readSecret(NAMESPACE, NAME);
  expectThat(secret !== undefined, `Secret ${NAMESPACE}/${NAME} does not exist ${when}`);
  return secret;
}

export async function expectPassword(world: StoryWorld, password: string, when: string) {
  const secret = await readShopSecret(world, when);
  expectThat(
    secret.data.password === password,
    `Secret ${NAMESPACE}/${NAME} does not hold the expected password ${when}`,
  );
  return secret;
}

export function expectNoLeak(passwords: readonly string[], told: readonly LogLine[] | object): void {
  const text = JSON.stringify(told);
  const isLeaked = passwords.some(
    (password) => text.includes(password) || text.includes(Buffer.from(password).toString("base64")),
  );
  expectThat(!isLeaked, "A log or a report of the relay holds a password");
}
