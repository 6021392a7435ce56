/**
 * A sandbox that stays up, for trying the command: an AWS account and an EKS cluster on loopback, with secrets, a
 * namespace and the deployed functions in them. It prints what to set in another terminal. Ends with Ctrl+C.
 *
 *   node sandbox/serve.ts [folder]
 */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kubeconfigFor } from "./kubernetes/kubeconfig.ts";
import { externalSecretsResources } from "./kubernetes/resources.ts";
import { startSandbox } from "./start-sandbox.ts";
import { deployStack } from "./story/deploy-stack.ts";
import { createWorkQueue } from "./story/work-queue.ts";

const folder = path.resolve(process.argv[2] ?? ".sandbox");
const sandbox = await startSandbox({
  clusterName: "sandbox-eks",
  resources: externalSecretsResources(),
  rollsOut: true,
});
const { aws, kubernetes } = sandbox;
aws.seedSecrets([
  { name: "prod/db", value: JSON.stringify({ username: "shop", password: "first-password" }) },
  { name: "prod/cache", value: JSON.stringify({ username: "cache", password: "another-password" }) },
  { name: "prod/secret-relay/canary", value: JSON.stringify({ verify: "new" }) },
]);
await kubernetes.ask({
  method: "POST",
  target: "/api/v1/namespaces",
  headers: { authorization: `Bearer ${kubernetes.adminToken}`, "content-type": "application/json" },
  body: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } }),
});

Object.assign(process.env, aws.env, { BINDINGS_FILE: "" }); // for the functions, which run in this process
const queue = await createWorkQueue();
const { reconcile } = await deployStack(sandbox, Date.now, { WORK_QUEUE_URL: queue.url });
void deliverMessages();

const kubeconfig = kubeconfigFor(kubernetes, aws.accountId, { token: kubernetes.adminToken });
await mkdir(folder, { recursive: true });
await writeFile(path.join(folder, "kubeconfig"), JSON.stringify(kubeconfig), { mode: 0o600 });
// AWS_DEFAULT_REGION: version 1 of the AWS CLI reads no other.
const exports = Object.entries({
  ...aws.env,
  AWS_DEFAULT_REGION: aws.region,
  KUBECONFIG: path.join(folder, "kubeconfig"),
});
await writeFile(
  path.join(folder, "env"),
  exports.map(([name, value]) => `export ${name}='${value}'\n`).join(""),
);
console.log(`The sandbox is up: cluster ${kubernetes.clusterName} with namespace shop; secrets prod/db,
prod/cache and prod/secret-relay/canary.
In another terminal:

  source ${path.join(path.relative(process.cwd(), folder) || ".", "env")}
  npx secret-relay init --prefix prod/ --canary
  npx secret-relay rbac | kubectl apply -f -
  npx secret-relay publish
  npx secret-relay verify

Ctrl+C ends it, and everything in it.`);
process.once("SIGINT", () => void sandbox.stop().then(() => process.exit(0)));
process.once("SIGTERM", () => void sandbox.stop().then(() => process.exit(0)));

/** By which the relay follows rollouts. A failed delivery is repeated when the message is visible again. */
async function deliverMessages(): Promise<never> {
  for (;;) {
    await queue.deliver(reconcile).catch(() => {});
    await sleep(1_000);
  }
}
