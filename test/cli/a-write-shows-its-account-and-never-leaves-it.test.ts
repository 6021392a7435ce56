import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { chooseContext, type KubeContext } from "../../cli/live/choose-context.ts";
import { kubeconfigFor } from "../../sandbox/kubernetes/kubeconfig.ts";
import { newCanary } from "../harness/canary.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { type SandboxBackend, startSandboxBackend } from "../harness/start-sandbox-backend.ts";

const OTHER_ACCOUNT = "999988887777";
const CLUSTER = { name: "prod", region: "eu-west-1" };
const arnOf = (accountId: string, { name, region } = CLUSTER) =>
  `arn:aws:eks:${region}:${accountId}:cluster/${name}`;
const context = (name: string, clusterName = name): KubeContext => ({
  name,
  clusterName,
  server: "https://x.example",
});

describe("the context of a cluster", () => {
  const choose = (contexts: readonly KubeContext[], accountId: string | undefined, cluster: object = {}) => {
    try {
      const found = chooseContext(
        "main",
        { ...CLUSTER, ...cluster },
        { contexts, accountId, currentContext: undefined },
      );
      return found?.name ?? "none";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const [ours, others] = [arnOf("111122223333"), arnOf(OTHER_ACCOUNT)];
  const pinned = { endpoint: "https://x.example", certificateAuthorityData: "" };

  it.each([
    { it: "its ARN", contexts: [context(ours)], want: ours },
    {
      it: "its ARN, not that of another account before it",
      contexts: [context(others), context(ours)],
      want: ours,
    },
    {
      it: "refused: the ARN of another account",
      contexts: [context(others)],
      want: "CONTEXT_OF_ANOTHER_ACCOUNT",
    },
    {
      it: "refused: an alias for the ARN of another account",
      contexts: [context("prod", others)],
      want: "CONTEXT_OF_ANOTHER_ACCOUNT",
    },
    {
      it: "refused: an alias with the key in the bindings",
      contexts: [context("main", others)],
      want: "CONTEXT_OF_ANOTHER_ACCOUNT",
    },
    {
      it: "none: an alias for the ARN of another cluster",
      contexts: [context("main", arnOf("111122223333", { name: "staging", region: "eu-west-1" }))],
      want: "none",
    },
    {
      it: "none: an alias for the ARN of another Region",
      contexts: [context("prod", arnOf("111122223333", { name: "prod", region: "us-east-1" }))],
      want: "none",
    },
    { it: "a name without an ARN", contexts: [context("prod")], want: "prod" },
    { it: "its endpoint, in any account", contexts: [context(others)], cluster: pinned, want: others },
  ])("is $it", ({ contexts, want, cluster }) => expect(choose(contexts, "111122223333", cluster)).toBe(want));

  it("is its ARN in the account of its role", () => {
    expect(choose([context(ours), context(others)], OTHER_ACCOUNT)).toBe(others);
  });

  it("is its ARN in any account, if there are no AWS credentials", () => {
    expect(choose([context(others)], undefined)).toBe(others);
  });
});

describe("a command that writes", () => {
  let backend: SandboxBackend;
  let scene: Scene;
  let desk: Desk;

  beforeAll(async () => {
    backend = await startSandboxBackend();
    for (const [name, value] of Object.entries(backend.aws.env)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await backend?.stop();
  });
  beforeEach(async () => {
    scene = await openScene(backend);
    desk = openDesk(backend);
    const value = JSON.stringify({ username: "app", password: newCanary() });
    const source = await scene.createSource(`prod/${randomUUID().slice(0, 8)}`, value);
    const { clusterName: name, region } = backend.kubernetes;
    desk.writeBindings([{ source: source.name, targets: [{ namespace: scene.namespace, name: "db" }] }], {
      main: { name, region },
    });
  });
  afterEach(() => {
    scene.close();
    desk.close();
  });
  const useContextOf = (accountId: string) =>
    desk.write(
      "kubeconfig",
      kubeconfigFor(backend.kubernetes, accountId, { token: backend.kubernetes.adminToken }),
    );

  it.each([["sync", "--all"], ["sweep"], ["hold", "--all", "--for", "1m"], ["claim", "--yes"]])(
    "is refused in a cluster of another account: %s",
    async (...words) => {
      useContextOf(OTHER_ACCOUNT);
      const { exitCode, stdout, stderr } = await desk.run(...words);
      expect(exitCode).toBe(1);
      expect(stdout + stderr).toContain("CONTEXT_OF_ANOTHER_ACCOUNT");
      expect(await scene.readSecret("db")).toBeUndefined();
    },
  );

  it("is refused there also if --context names it", async () => {
    useContextOf(OTHER_ACCOUNT);
    const named = arnOf(OTHER_ACCOUNT, {
      name: backend.kubernetes.clusterName,
      region: backend.kubernetes.region,
    });
    const { stderr } = await desk.run("sync", "--all", "--context", named);
    expect(stderr).toContain("CONTEXT_OF_ANOTHER_ACCOUNT");
    expect(await scene.readSecret("db")).toBeUndefined();
  });

  it.each([["sync", "--all"], ["sweep"], ["hold", "--all", "--for", "1m"], ["claim", "--yes"]])(
    "shows account, Region and context once, on stderr: %s",
    async (...words) => {
      const { accountId, region } = backend.aws;
      const { stderr } = await desk.run(...words);
      const lines = stderr.split("\n");
      const name = arnOf(accountId, { name: backend.kubernetes.clusterName, region });
      expect(
        lines.filter((line) => line.startsWith(`Account ${accountId}, Region ${region}, as arn:`)),
      ).toHaveLength(1);
      expect(lines.filter((line) => line === `Cluster main: kubeconfig context ${name}`)).toHaveLength(1);
    },
  );

  it.each([["plan"], ["status"], ["sweep", "--plan"], ["claim"]])(
    "shows nothing of that if it only reads: %s",
    async (...words) => expect((await desk.run(...words)).stderr).not.toContain("Account "),
  );
});
