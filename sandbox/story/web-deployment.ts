import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { StoryWorld } from "./open-world.ts";
import { expectThat } from "./story-problem.ts";

/** A Deployment whose pods read a password only when they start. */
export const SOURCE = "prod/sessions";
export const NAMESPACE = "web";
export const SECRET = "sessions";
export const NAME = "web";
export const PODS = 3;
export const SECONDS_PER_POD = 2;
/** The Deployment gives up when no new pod was ready for this time. */
export const DEADLINE_SECONDS = 10;

/** The source, the relay's rights, and the Deployment. */
export async function installWeb(
  { admin, sandbox, secretsManager }: StoryWorld,
  password: string,
): Promise<void> {
  await admin.grant(NAMESPACE, [SECRET], sandbox.kubernetes.relayGroup, { restarts: [NAME] });
  await secretsManager.send(
    new CreateSecretCommand({ Name: SOURCE, SecretString: JSON.stringify({ password }) }),
  );
  const { status } = await admin.call(DEPLOYMENTS, { method: "POST", body: DEPLOYMENT });
  expectThat(status === 201, `The new Deployment was answered with HTTP ${status}`);
  await annotate(admin, { "sandbox/seconds-per-pod": String(SECONDS_PER_POD) });
}

/** From now on this new pod does not become ready; undefined repairs it. */
export const breakPod = ({ admin }: StoryWorld, pod: number | undefined): Promise<void> =>
  annotate(admin, { "sandbox/stuck-at-pod": pod === undefined ? null : String(pod) });

/** New pods that are available, as the Deployment counts them. */
export async function countNewPods({ admin }: StoryWorld): Promise<number> {
  const { body } = await admin.call(`${DEPLOYMENTS}/${NAME}`);
  const { updatedReplicas = 0, unavailableReplicas = 0 } = body.status;
  return updatedReplicas - unavailableReplicas;
}

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;

const labels = { app: NAME };
const env = [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: SECRET, key: "password" } } }];
const DEPLOYMENT = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: NAME },
  spec: {
    replicas: PODS,
    progressDeadlineSeconds: DEADLINE_SECONDS,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: NAME, image: "example.com/web:1", env }] },
    },
  },
};

async function annotate(admin: StoryWorld["admin"], annotations: object): Promise<void> {
  const { status } = await admin.call(`${DEPLOYMENTS}/${NAME}`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { metadata: { annotations } },
  });
  expectThat(status === 200, `The annotation of the Deployment was answered with HTTP ${status}`);
}
