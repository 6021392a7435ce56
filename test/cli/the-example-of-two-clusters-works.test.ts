import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { kubeconfigFor } from "../../sandbox/kubernetes/kubeconfig.ts";
import { type KubernetesSandbox, startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { ROOT } from "../docs/markdown.ts";
import { awsClients } from "../harness/aws-clients.ts";
import { findTraces } from "../harness/canary.ts";
import { kubernetesCall } from "../harness/kubernetes-request.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend } from "../harness/use-scene.ts";

// The commands of examples/two-clusters/.github/workflows/bindings.yml, in the order of its steps, on the sandbox with
// two clusters. Stand-ins record what `gh` and `npm` are told, because GitHub is not here;
// test/real/sam/a-release-is-complete.test.ts installs the real package. About 10 s.

const EXAMPLE = join(ROOT, "examples/two-clusters");
type Step = { readonly name?: string; readonly run?: string };
const workflow: {
  env: Record<string, string>;
  jobs: Record<string, { steps: Step[] }>;
} = parse(readFileSync(join(EXAMPLE, ".github/workflows/bindings.yml"), "utf8"));

const used = useBackend(() => startSandboxBackend({ clusterName: "staging-eks" }));
let folder: string;
let kubeconfig: string;
let production: KubernetesSandbox;

beforeAll(async () => {
  const { aws, authority, kubernetes } = used.backend.sandbox;
  production = await startKubernetesSandbox({
    clusterName: "production-eks",
    region: aws.region,
    authority,
    credentialsOf: (accessKeyId) => aws.credentialsOf(accessKeyId),
  });
  const { endpoint, certificateAuthorityData } = production;
  aws.addCluster({ name: "production-eks", endpoint, certificateAuthorityData });
  aws.addBucket("bindings", { versioned: true });
  aws.addStack(
    "secret-relay",
    { BindingsBucketName: "bindings" },
    { RelayName: "secret-relay", SecretNamePrefix: "", SecretArns: "*", ClusterArns: "*" },
  );
  folder = mkdtempSync(join(tmpdir(), "secret-relay-example-"));
  cpSync(EXAMPLE, folder, { recursive: true });
  const files = [kubernetes, production].map((cluster, at) => {
    const file = join(folder, `kubeconfig-${at}`);
    writeFileSync(
      file,
      JSON.stringify(kubeconfigFor(cluster, used.backend.aws.accountId, { token: cluster.adminToken })),
    );
    return file;
  });
  kubeconfig = files.join(":");
  mkdirSync(join(folder, "bin"));
  for (const name of ["gh", "npm"]) addProgram(name, `echo ${name} "$@" >> told`);
  addProgram("secret-relay", `exec '${process.execPath}' '${join(ROOT, "bin/secret-relay.mjs")}' "$@"`);
  const { secrets, destroy } = awsClients(used.backend.aws);
  const value = JSON.stringify({ username: "mail", password: "canary-7f3a9c1e-example" });
  for (const Name of ["staging/shop/db", "production/shop/db", "shared/mail"])
    await secrets.send(new CreateSecretCommand({ Name, SecretString: value }));
  destroy();
  await prepare("staging", kubernetes);
  await prepare("production", production);
});
afterAll(async () => {
  await production.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The namespace of the example and, as `secret-relay rbac | kubectl apply -f -`, the relay's permissions in it. */
async function prepare(key: string, cluster: KubernetesSandbox): Promise<void> {
  const call = kubernetesCall(cluster);
  await call("/api/v1/namespaces", {
    method: "POST",
    body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
  });
  const roles = await run(`secret-relay rbac --cluster ${key}`);
  for (const document of roles.output.split("\n---\n")) {
    const object = parse(document) as { kind: string };
    const { status } = await call(
      `/apis/rbac.authorization.k8s.io/v1/namespaces/shop/${object.kind.toLowerCase()}s/secret-relay?fieldManager=kubectl`,
      { method: "PATCH", contentType: "application/apply-patch+yaml", body: object },
    );
    expect(status).toBeLessThan(300);
  }
  call.close();
}

function addProgram(name: string, script: string): void {
  writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "bin", name), 0o755);
}

async function run(command: string): Promise<{ code: unknown; output: string }> {
  const env = {
    ...process.env, // useBackend has put the AWS settings of the sandbox there
    ...workflow.env,
    ...{ RELEASES: "owner/name", HOME: folder, KUBECONFIG: kubeconfig, FORCE_COLOR: undefined },
    PATH: `${join(folder, "bin")}:${process.env.PATH}`,
  };
  const ended = await new Promise<{ code: unknown; output: string }>((resolve) => {
    execFile("bash", ["-e", "-c", command], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
  expect(findTraces(ended.output)).toEqual([]);
  return ended;
}

/** The output of each step by its name, up to the first that fails. */
async function runJob(job: string): Promise<{ outputs: Record<string, string>; failed?: string }> {
  const outputs: Record<string, string> = {};
  for (const { name = "", run: command } of workflow.jobs[job]?.steps ?? []) {
    if (command === undefined) continue;
    const { code, output } = await run(command);
    outputs[name] = output;
    if (code !== 0) return { outputs, failed: name };
  }
  return { outputs };
}

it("the workflow uses this version", () => {
  expect(workflow.env.VERSION).toBe(packageJson.version);
});

it("a pull request installs the attested package, and shows each Secret of both clusters", async () => {
  const { outputs, failed } = await runJob("plan");

  expect([failed, outputs]).toEqual([undefined, expect.anything()]);
  expect(readFileSync(join(folder, "told"), "utf8")).toMatch(
    /^gh release download v\S+ .*\ngh attestation verify secret-relay-\S+\.tgz --repo owner\/name\nnpm install --global \.\/secret-relay-\S+\.tgz\n$/,
  );
  for (const secret of ["staging/shop/db", "staging/shop/mail", "production/shop/db", "production/shop/mail"])
    expect(outputs["Show what would change"]).toMatch(new RegExp(`^\\+ ${secret} +create +MISSING `, "m"));
  expect((await run("secret-relay bindings history")).output).not.toContain("generation 1");
});

it("a mistake in the file stops the pull request before AWS is asked", async () => {
  const file = join(folder, "bindings.yaml");
  const right = readFileSync(file, "utf8");
  writeFileSync(file, right.replace("cluster: staging", "cluster: absent"));

  const { outputs, failed } = await runJob("plan");
  writeFileSync(file, right);

  expect(failed).toBe("Check the file");
  expect(outputs["Check the file"]).toContain("absent");
});

it("the merge publishes what the pull request has shown", async () => {
  const { outputs, failed } = await runJob("publish");

  expect([failed, outputs]).toEqual([undefined, expect.anything()]);
  expect(outputs.Publish).toContain("Generation 1 is in force: 4 Secrets.");
});
