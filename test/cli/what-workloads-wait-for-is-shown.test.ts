import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const used = useBackend(startSandboxBackend);
const at = useScene(used);

const DELAY_SECONDS = 20;

let desk: Desk;
let source: TestSource;
let whileItWaits: () => Promise<void>;

beforeEach(async () => {
  whileItWaits = async () => {};
  desk = openDesk(used.backend, {
    wait: async (ms, signal) => {
      if (ms === DELAY_SECONDS * 1_000) await whileItWaits();
      await used.backend.clock.advance(ms, signal);
    },
  });
  source = await at.scene.createSource("prod/waits", '{"password":"first"}');
  await createDeployment();
});
afterEach(async () => {
  desk.close();
  await at.scene.deleteSource(source).catch(() => {});
});

const secret = () => `${at.scene.namespace}/db`;
const deployment = (part = "") =>
  `/apis/apps/v1/namespaces/${at.scene.namespace}/deployments${part && `/shop${part}`}`;

async function createDeployment(): Promise<void> {
  const labels = { app: "shop" };
  const env = { envFrom: [{ secretRef: { name: "db" } }] };
  const body = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "shop" },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "main", image: "example.com/main:1", ...env }] },
      },
    },
  };
  expect((await at.scene.admin(deployment(), { method: "POST", body })).status).toBe(201);
}

async function setStatus(counts: object): Promise<void> {
  const { generation } = (await at.scene.admin(deployment("/"))).body.metadata;
  const body = { status: { observedGeneration: generation, ...counts } };
  const contentType = "application/merge-patch+json";
  const { status } = await at.scene.admin(deployment("/status"), { method: "PATCH", contentType, body });
  expect(status).toBe(200);
}

/** It crashes when it starts. */
async function createPod(version: string): Promise<void> {
  const pods = `/api/v1/namespaces/${at.scene.namespace}/pods`;
  const metadata = {
    name: "shop-6d4c-1",
    labels: { "pod-template-hash": "6d4c" },
    annotations: { "secret-relay/restarted-for-db": version },
    ownerReferences: [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: "shop-6d4c", uid: randomUUID(), controller: true },
    ],
  };
  const spec = { containers: [{ name: "main", image: "example.com/main:1" }] };
  const pod = { apiVersion: "v1", kind: "Pod", metadata, spec };
  expect((await at.scene.admin(pods, { method: "POST", body: pod })).status).toBe(201);
  const state = { waiting: { reason: "CrashLoopBackOff" } };
  const body = { status: { containerStatuses: [{ name: "main", state }] } };
  const contentType = "application/merge-patch+json";
  const { status } = await at.scene.admin(`${pods}/shop-6d4c-1/status`, {
    method: "PATCH",
    contentType,
    body,
  });
  expect(status).toBe(200);
}

/** The Secret exists, and its workload started with it. */
async function open(rule: object = {}): Promise<void> {
  const restart = { workloads: [{ kind: "Deployment", name: "shop" }], ...rule };
  desk.writeBindings([
    { source: "prod/waits", targets: [{ namespace: at.scene.namespace, name: "db", restart }] },
  ]);
  await desk.run("sync", "--all");
}

async function rotate(value: string): Promise<string> {
  source = await at.scene.rotate(source, JSON.stringify({ password: value }));
  await desk.run("sync", secret());
  return source.versionId;
}

const short = (versionId: string) => `${versionId.slice(0, 8)}…`;

async function show() {
  const [plan, status] = [await desk.run("plan"), await desk.run("status", secret())];
  const { json } = await desk.runJson("plan");
  const [row] = (json as { targets: TargetRow[] }).targets;
  return { screens: [plan.stdout, status.stdout], exitCodes: [plan.exitCode, status.exitCode], row };
}

describe("plan and status show", () => {
  it("a restart that waits for its delay, with its version and the end of the delay", async () => {
    await open({ delaySeconds: DELAY_SECONDS });
    let shown: Awaited<ReturnType<typeof show>> | undefined;
    whileItWaits = async () => {
      shown = await show();
    };
    const versionId = await rotate("second");

    expect(shown?.exitCodes).toEqual([0, 0]);
    const [restart] = shown?.row?.restarts ?? [];
    expect(restart).toMatchObject({ workload: "Deployment/shop", outcome: "due", versionId });
    const { since = "", until = "" } = restart ?? {};
    expect(Date.parse(until) - Date.parse(since)).toBe(DELAY_SECONDS * 1_000);
    for (const screen of shown?.screens ?? []) {
      expect(screen).toContain(
        `Deployment/shop: its restart for version ${short(versionId)} waits for its delay, since`,
      );
      expect(screen).toContain(`(${since}), until ${until}`);
    }
  });

  it("a restart that waits for the minimum interval, with the end of the interval", async () => {
    await open({ minimumIntervalSeconds: 300 });
    await rotate("second");
    const versionId = await rotate("third");

    const { screens, row } = await show();

    expect(row?.restarts).toEqual([
      {
        ...{ workload: "Deployment/shop", outcome: "skipped", code: "RESTART_TOO_SOON", versionId },
        ...{ since: expect.any(String), until: expect.any(String) },
      },
    ]);
    for (const screen of screens) {
      expect(screen).toContain(
        `Deployment/shop: its restart for version ${short(versionId)} waits (RESTART_TOO_SOON), since`,
      );
      expect(screen).toContain(`, until ${row?.restarts?.[0]?.until}`);
    }
  });

  it("a rollout that is not complete, with the number of new pods", async () => {
    await open();
    const versionId = await rotate("second");
    await setStatus({ replicas: 4, updatedReplicas: 2, availableReplicas: 3, readyReplicas: 3 });

    const { screens, row } = await show();

    expect(row?.restarts).toMatchObject([
      { versionId, rollout: { state: "progressing", pods: { available: 1, desired: 3 } } },
    ]);
    for (const screen of screens) {
      expect(screen).toContain(
        `Deployment/shop: its rollout for version ${short(versionId)} is progressing, 1 of 3 pods are new and available, since`,
      );
    }
  });

  it("a rollout that is stuck, with the reason of its controller and with --pods those of its new pods", async () => {
    await open();
    const versionId = await rotate("second");
    await setStatus({
      conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }],
    });
    await createPod(versionId);

    const { screens } = await show();
    const withPods = await desk.run("status", secret(), "--pods");

    const stuck = `Deployment/shop: its rollout for version ${short(versionId)} is stuck (ProgressDeadlineExceeded`;
    for (const screen of screens) expect(screen).toContain(`${stuck}), 0 of 3 pods`);
    expect(withPods.stdout).toContain(`${stuck}; new pods: CrashLoopBackOff), 0 of 3 pods`);
    expect(withPods.exitCode).toBe(1);
  });

  it("nothing more when the rollout is complete", async () => {
    await open();
    await rotate("second");
    await setStatus({ replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 });

    const { screens } = await show();

    for (const screen of screens) expect(screen).not.toContain("Deployment/shop:");
  });
});

describe("status shows the time to effective:", () => {
  const rotationIn = async () => {
    const { stdout } = await desk.run("status", secret());
    const { json } = await desk.runJson("status", secret());
    const [row] = (json as { targets: TargetRow[] }).targets;
    return { stdout, rotation: row?.rotation };
  };

  it("what it waits for, then the time", async () => {
    await open();
    const versionId = await rotate("second");
    await setStatus({ replicas: 4, updatedReplicas: 2, availableReplicas: 3, readyReplicas: 3 });
    const waiting = await rotationIn();
    await setStatus({ replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 });
    await desk.run("sync", secret());
    const effective = await rotationIn();

    expect(waiting.stdout).toMatch(/LAST ROTATION +WRITTEN AFTER +EFFECTIVE AFTER\n/);
    expect(waiting.stdout).toMatch(/ago +- +waits for Deployment\/shop \(1 of 3 pods\)\n/);
    expect(waiting.rotation).toEqual({ versionId, state: "waiting", writtenAt: expect.any(String) });
    expect(effective.stdout).toMatch(/ago +- +[\d.]+ m?s\n/);
    expect(effective.rotation).toMatchObject({ state: "effective", effectiveAfterMs: expect.any(Number) });
  });

  it("that the first value needs no restart", async () => {
    await open();
    const { stdout, rotation } = await rotationIn();
    expect(stdout).toMatch(/ago +- +no restart needed\n/);
    expect(rotation?.state).toBe("unneeded");
  });
});
