import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type KubernetesSandbox, startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";

// The controllers of the sandbox, without a socket and on fake timers. Statuses as a real controller writes them.

const PLACES = { Deployment: "deployments", StatefulSet: "statefulsets", DaemonSet: "daemonsets" } as const;
type Kind = keyof typeof PLACES;
const KINDS = Object.keys(PLACES) as Kind[];
const START = Date.parse("2026-01-01T00:00:00Z");

let kubernetes: KubernetesSandbox;

beforeEach(async () => {
  kubernetes = await startKubernetesSandbox({
    clusterName: "sandbox",
    region: "eu-west-1",
    credentialsOf: () => undefined,
    rollsOut: true,
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: START });
});
afterEach(async () => {
  vi.useRealTimers();
  await kubernetes.stop();
});

const ask = async (method: string, target: string, body?: object, contentType = "application/json") => {
  const headers = { authorization: `Bearer ${kubernetes.adminToken}`, "content-type": contentType };
  const answer = await kubernetes.ask({ method, target, headers, body: body ? JSON.stringify(body) : "" });
  expect(answer.status).toBeLessThan(300);
  return JSON.parse(answer.body);
};
const pathOf = (kind: Kind, name = "") => `/apis/apps/v1/namespaces/default/${PLACES[kind]}${name}`;
const read = (kind: Kind) => ask("GET", pathOf(kind, "/shop"));
const patch = (kind: Kind, body: object) =>
  ask("PATCH", pathOf(kind, "/shop"), body, "application/merge-patch+json");
const annotate = (kind: Kind, annotations: object) => patch(kind, { metadata: { annotations } });
const restart = (kind: Kind, at = "now") =>
  patch(kind, { spec: { template: { metadata: { annotations: { "secret-relay/restarted-at": at } } } } });
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1_000);

/** A workload whose three pods (a DaemonSet's two) are available. */
async function create(kind: Kind, spec: object = {}): Promise<void> {
  const workload = { replicas: 3, template: { spec: { containers: [] } }, ...spec };
  const body = { apiVersion: "apps/v1", kind, metadata: { name: "shop" }, spec: workload };
  await ask("POST", pathOf(kind), body);
  await pass(0);
}

const progress = async () => {
  const { conditions } = (await read("Deployment")).status;
  return conditions.find(({ type }: { type: string }) => type === "Progressing");
};

describe("a rollout", () => {
  it.each(KINDS)("of a %s completes at once, unless an annotation slows it", async (kind) => {
    await create(kind);
    const before = (await read(kind)).status;

    await restart(kind);
    await pass(0);

    const { metadata, status } = await read(kind);
    expect(status.observedGeneration).toBe(metadata.generation);
    const { observedGeneration: _, currentRevision, updateRevision, conditions, ...counts } = status;
    expect(before).toMatchObject(counts);
    expect(updateRevision).toBe(currentRevision);
    expect(conditions?.[1].reason).toBe(kind === "Deployment" ? "NewReplicaSetAvailable" : undefined);
  });

  it("of a Deployment replaces one pod after the other, and an old one goes when its new one is available", async () => {
    await create("Deployment");
    await annotate("Deployment", { "sandbox/seconds-per-pod": "2" });
    await restart("Deployment");
    const seen: unknown[] = [];

    for (let step = 0; step < 4; step += 1) {
      await pass(step === 0 ? 0 : 2);
      const { replicas, updatedReplicas, availableReplicas, unavailableReplicas } = (await read("Deployment"))
        .status;
      seen.push([replicas, updatedReplicas, availableReplicas, unavailableReplicas]);
    }

    expect(seen).toEqual([
      [4, 1, 3, 1],
      [4, 2, 3, 1],
      [4, 3, 3, 1],
      [3, 3, 3, undefined],
    ]);
    expect(await progress()).toMatchObject({
      status: "True",
      reason: "NewReplicaSetAvailable",
      lastUpdateTime: "2026-01-01T00:00:06Z",
    });
  });

  it("of a StatefulSet deletes a pod before its new one starts, and has its revision at the end", async () => {
    await create("StatefulSet");
    const { currentRevision: old } = (await read("StatefulSet")).status;
    await annotate("StatefulSet", { "sandbox/seconds-per-pod": "0.5" });
    await restart("StatefulSet");

    await pass(0.5);
    const during = (await read("StatefulSet")).status;
    await pass(1);
    const after = (await read("StatefulSet")).status;

    expect(during).toMatchObject({ replicas: 3, updatedReplicas: 2, readyReplicas: 2, currentRevision: old });
    expect(during.updateRevision).not.toBe(old);
    expect(after).toMatchObject({ readyReplicas: 3, updatedReplicas: 3, currentReplicas: 3 });
    expect(after.currentRevision).toBe(during.updateRevision);
  });

  it("of a StatefulSet ends at its partition", async () => {
    await create("StatefulSet", {
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } },
    });

    await restart("StatefulSet");
    await pass(0);

    const { status } = await read("StatefulSet");
    expect(status).toMatchObject({ readyReplicas: 3, updatedReplicas: 1, currentReplicas: 2 });
    expect(status.currentRevision).not.toBe(status.updateRevision);
  });

  it("of a StatefulSet that updates on delete replaces no pod", async () => {
    await create("StatefulSet", { updateStrategy: { type: "OnDelete" } });

    await restart("StatefulSet");
    await pass(0);

    expect((await read("StatefulSet")).status).toMatchObject({ readyReplicas: 3, currentReplicas: 3 });
    expect((await read("StatefulSet")).status.updatedReplicas).toBeUndefined();
  });

  it("of a paused Deployment waits until it goes on", async () => {
    await create("Deployment");
    await patch("Deployment", { spec: { paused: true } });
    await restart("Deployment");
    await pass(3_600);
    const paused = [(await read("Deployment")).status.updatedReplicas, (await progress()).reason];

    await patch("Deployment", { spec: { paused: false } });
    await pass(0);

    expect(paused).toEqual([undefined, "DeploymentPaused"]);
    expect(await progress()).toMatchObject({ reason: "NewReplicaSetAvailable" });
  });

  it("is begun again by another change of the template", async () => {
    await create("Deployment");
    await annotate("Deployment", { "sandbox/seconds-per-pod": "2" });
    await restart("Deployment", "first");
    await pass(4);

    await restart("Deployment", "second");
    await pass(0);

    expect((await read("Deployment")).status).toMatchObject({ updatedReplicas: 1, availableReplicas: 3 });
  });

  it("has replaced several pods after a jump of the clock, each in its time", async () => {
    await create("Deployment");
    await annotate("Deployment", { "sandbox/seconds-per-pod": "2" });
    await restart("Deployment");
    await pass(0);

    vi.setSystemTime(START + 5_000); // fires no timer
    const during = (await read("Deployment")).status;
    vi.setSystemTime(START + 60_000);
    await read("Deployment");

    expect(during).toMatchObject({ updatedReplicas: 3, unavailableReplicas: 1 });
    expect(await progress()).toMatchObject({
      reason: "NewReplicaSetAvailable",
      lastUpdateTime: "2026-01-01T00:00:06Z",
    });
  });

  it("goes on when the API server is killed and starts again", async () => {
    await create("Deployment");
    vi.useRealTimers(); // the port is a real one
    await kubernetes.kill();
    await kubernetes.startAgain();
    await restart("Deployment");

    const { metadata, status } = await read("Deployment");
    expect(status.observedGeneration).toBe(metadata.generation);
  });
});

describe("a slow controller", () => {
  it.each(KINDS)(
    "of a %s sees a change later, and its status is about the generation before",
    async (kind) => {
      await create(kind);
      await annotate(kind, { "sandbox/seconds-to-observe": "5" });
      await pass(5);
      await restart(kind);
      await pass(4);
      const before = await read(kind);

      await pass(1);

      expect(before.status.observedGeneration).toBe(before.metadata.generation - 1);
      const { metadata, status } = await read(kind);
      expect(status.observedGeneration).toBe(metadata.generation);
    },
  );
});

describe("a rollout that is stuck", () => {
  it("has the condition of a Deployment's deadline, until it makes progress again", async () => {
    await create("Deployment", { progressDeadlineSeconds: 60 });
    await annotate("Deployment", { "sandbox/stuck-at-pod": "2" });
    await restart("Deployment");
    await pass(59);
    const before = await progress();
    await pass(1);
    const stuck = await progress();
    const { status } = await read("Deployment");

    await annotate("Deployment", { "sandbox/stuck-at-pod": null });
    await pass(0);

    expect(before).toMatchObject({ status: "True", reason: "ReplicaSetUpdated" });
    expect(stuck).toMatchObject({
      status: "False",
      reason: "ProgressDeadlineExceeded",
      lastTransitionTime: "2026-01-01T00:01:00Z",
    });
    expect(status).toMatchObject({ replicas: 4, updatedReplicas: 2, unavailableReplicas: 1 });
    expect(await progress()).toMatchObject({ status: "True", reason: "NewReplicaSetAvailable" });
  });

  it.each([
    { kind: "StatefulSet", counts: { updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 } },
    { kind: "DaemonSet", counts: { updatedNumberScheduled: 2, numberAvailable: 1, numberUnavailable: 1 } },
  ] as const)("leaves a pod of a $kind unavailable, without a deadline", async ({ kind, counts }) => {
    await create(kind);
    await annotate(kind, { "sandbox/stuck-at-pod": "2" });
    await restart(kind);
    await pass(86_400);

    const { status } = await read(kind);
    await annotate(kind, { "sandbox/stuck-at-pod": null });
    await pass(0);

    expect(status).toMatchObject(counts);
    expect(status.conditions).toBeUndefined();
    const after = (await read(kind)).status;
    expect(after.readyReplicas ?? after.numberReady).toBe(kind === "DaemonSet" ? 2 : 3);
  });

  it("takes its time for the pod that starts again after it was stuck", async () => {
    await create("Deployment", { progressDeadlineSeconds: 60 });
    await annotate("Deployment", { "sandbox/stuck-at-pod": "1", "sandbox/seconds-per-pod": "5" });
    await restart("Deployment");
    await pass(100);
    await annotate("Deployment", { "sandbox/stuck-at-pod": null });
    await pass(4);
    const before = await progress();
    await pass(1);

    expect(before.reason).toBe("ProgressDeadlineExceeded");
    expect(await progress()).toMatchObject({ reason: "ReplicaSetUpdated" });
  });

  it("ends when the template before it comes back", async () => {
    await create("Deployment", { progressDeadlineSeconds: 60 });
    await annotate("Deployment", { "sandbox/stuck-at-pod": "1" });
    await restart("Deployment");
    await pass(120);

    await patch("Deployment", { spec: { template: { metadata: null } } });
    await pass(0);

    expect((await read("Deployment")).status).toMatchObject({ replicas: 3, availableReplicas: 3 });
    expect(await progress()).toMatchObject({ reason: "NewReplicaSetAvailable" });
  });
});
