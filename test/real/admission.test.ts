import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "vitest";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import { describeAdmissionContract, type Obstacle, type Raise } from "../contract/admission-contract.ts";
import type { Backend } from "../harness/backend.ts";
import type { Scene } from "../harness/scene.ts";
import { startRealBackend } from "../harness/start-real-backend.ts";

const REGISTRATION = "/apis/admissionregistration.k8s.io/v1";
const REGISTERED = "admissionregistration.k8s.io/v1";
const RULES = [
  { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["secrets"] },
];
const RULES_OF_READERS = [
  { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["deployments"] },
  { apiGroups: ["events.k8s.io"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["events"] },
];

/** A real policy, quota, webhook or deletion; in effect when it resolves. */
const raiseOnRealServers: Raise<Backend> = async (_backend, obstacle, scene) => {
  const undo = await start(obstacle, scene);
  const probe = obstacle.kind === "policy" && obstacle.of === "readers" ? PROBE_DEPLOYMENT : PROBE_SECRET;
  await untilCreationIs("refused", scene, probe);
  return async () => {
    for (const step of undo.splice(0).reverse()) await step();
    if (obstacle.kind !== "terminating") await untilCreationIs("accepted", scene, probe);
  };
};

describe("on real servers", () => describeAdmissionContract(startRealBackend, raiseOnRealServers));

type Undo = (() => Promise<unknown>)[];

function start(obstacle: Obstacle, scene: Scene): Promise<Undo> {
  switch (obstacle.kind) {
    case "policy":
      return startPolicy(obstacle, scene);
    case "quota":
      return startQuota(obstacle, scene);
    case "webhook-denies":
      return startDenyingWebhook(obstacle, scene);
    case "webhook-fails":
      return startFailingWebhook(obstacle, scene);
    case "terminating":
      return startDeletion(scene);
  }
}

async function create(scene: Scene, path: string, body: { metadata: { name: string } }): Promise<Undo> {
  const { status, body: answer } = await scene.admin(path, { method: "POST", body });
  if (status >= 300) throw new Error(`POST ${path}: ${status} ${answer?.message}`);
  return [() => scene.admin(`${path}/${body.metadata.name}`, { method: "DELETE" })];
}

const selects = ({ namespace }: Scene) => ({ matchLabels: { "kubernetes.io/metadata.name": namespace } });

/** Its message quotes the value. */
async function startPolicy(
  { name, reason, of }: Extract<Obstacle, { kind: "policy" }>,
  scene: Scene,
): Promise<Undo> {
  const quotes = { messageExpression: "'quoted: ' + string(object.data['password'])" };
  const policy = await create(scene, `${REGISTRATION}/validatingadmissionpolicies`, {
    ...{ apiVersion: REGISTERED, kind: "ValidatingAdmissionPolicy" },
    metadata: { name },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules: of === "readers" ? RULES_OF_READERS : RULES },
      validations: [{ expression: "false", reason, ...(of !== "readers" && quotes) }],
    },
  } as { metadata: { name: string } });
  const binding = await create(scene, `${REGISTRATION}/validatingadmissionpolicybindings`, {
    ...{ apiVersion: REGISTERED, kind: "ValidatingAdmissionPolicyBinding" },
    metadata: { name: `${name}-binding` },
    spec: {
      policyName: name,
      validationActions: ["Deny"],
      matchResources: { namespaceSelector: selects(scene) },
    },
  } as { metadata: { name: string } });
  return [...policy, ...binding];
}

/** No kube-controller-manager is here, so the test writes the limits in force, and the usage once it is computed. */
async function startQuota(
  { name, isComputed }: Extract<Obstacle, { kind: "quota" }>,
  scene: Scene,
): Promise<Undo> {
  const path = `/api/v1/namespaces/${scene.namespace}/resourcequotas`;
  const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name } };
  const limits = { hard: { "count/secrets": "0" } };
  const undo = await create(scene, path, { ...quota, spec: limits } as { metadata: { name: string } });
  await scene.admin(`${path}/${name}/status`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { status: { ...limits, ...(isComputed && { used: { "count/secrets": "0" } }) } },
  });
  return undo;
}

async function startDenyingWebhook(
  { name, status }: Extract<Obstacle, { kind: "webhook-denies" }>,
  scene: Scene,
): Promise<Undo> {
  const authority = createCertificateAuthority("admission webhook of a test");
  const { keyPem: key, certificatePem: cert } = authority.issueServerCertificate(["127.0.0.1"]);
  const server = createServer({ key, cert }, async (request, response) => {
    const review = JSON.parse(await text(request));
    const { uid, object } = review.request;
    const message = `quoted: ${JSON.stringify(object.data)}`;
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ ...review, response: { uid, allowed: false, status: { code: status, message } } }),
    );
  });
  const port = await listen(server);
  const webhook = { name, port, caBundle: authority.certificateAuthorityData };
  return [() => close(server), ...(await registerWebhook(webhook, scene))];
}

async function startFailingWebhook(
  { name, how }: Extract<Obstacle, { kind: "webhook-fails" }>,
  scene: Scene,
): Promise<Undo> {
  const { certificateAuthorityData: caBundle } = createCertificateAuthority("no server");
  // Accepts connections, and never responds.
  const server = createTcpServer();
  const port = await listen(server);
  if (how === "refuses connections") await close(server);
  const undo = await registerWebhook({ name, port, caBundle }, scene);
  return how === "hangs" ? [() => close(server), ...undo] : undo;
}

function registerWebhook(
  { name, port, caBundle }: { name: string; port: number; caBundle: string },
  scene: Scene,
): Promise<Undo> {
  return create(scene, `${REGISTRATION}/validatingwebhookconfigurations`, {
    ...{ apiVersion: REGISTERED, kind: "ValidatingWebhookConfiguration" },
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle },
        rules: RULES,
        namespaceSelector: selects(scene),
        failurePolicy: "Fail",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
        timeoutSeconds: 1,
      },
    ],
  } as { metadata: { name: string } });
}

/** Without kube-controller-manager it stays in this state. */
async function startDeletion({ admin, namespace }: Scene): Promise<Undo> {
  await admin(`/api/v1/namespaces/${namespace}`, { method: "DELETE" });
  return [];
}

type Server = ReturnType<typeof createTcpServer>;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function close(server: Server & { closeAllConnections?: () => void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections?.();
    server.unref();
    resolve(); // a connection that hangs ends with the process
  });
}

const PROBE_SECRET = {
  path: (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`,
  body: { apiVersion: "v1", kind: "Secret", metadata: { name: "probe" }, data: { password: "cHJvYmU=" } },
};
const PROBE_DEPLOYMENT = {
  path: (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  body: {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "probe" } },
    spec: {
      selector: { matchLabels: { app: "probe" } },
      template: {
        metadata: { labels: { app: "probe" } },
        spec: { containers: [{ name: "main", image: "example.com/main:1" }] },
      },
    },
  },
};

/** The API server notices new policies, quotas and webhooks within a second or two. */
async function untilCreationIs(
  wanted: "accepted" | "refused",
  { admin, namespace }: Scene,
  { path, body }: typeof PROBE_SECRET | typeof PROBE_DEPLOYMENT,
): Promise<void> {
  let inARow = 0;
  for (let attempts = 0; attempts < 100; attempts += 1) {
    const { status } = await admin(`${path(namespace)}?dryRun=All`, { method: "POST", body });
    inARow = (status < 300 ? "accepted" : "refused") === wanted ? inARow + 1 : 0;
    if (inARow === 3) return;
    await sleep(100);
  }
  throw new Error(`Creation is not ${wanted} within ten seconds`);
}
