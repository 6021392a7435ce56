import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { SyncIncomplete } from "../../functions/rotation/settle.ts";
import { startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { labelUpdated, pinnedCluster, startRelay, type TestRelay } from "../harness/relay.ts";
import { openScene } from "../harness/scene.ts";
import { invokeWithin, useFaultScene } from "./fault-scene.ts";

const struck = useFaultScene();

const codesOf = (relay: TestRelay, code: string) =>
  relay.logs.filter((log) => log.code === code).map(({ fields }) => fields.code);

describe("the invocation fails, so that its event is retried,", () => {
  const faults = [
    {
      it: "when the cluster throttles",
      fault: { kind: "throttle", retryAfterSeconds: 0 },
      code: "CLUSTER_THROTTLED",
    },
    { it: "when the cluster answers 500", fault: { kind: "server-error" }, code: "CLUSTER_UNAVAILABLE" },
    {
      it: "when the cluster hangs up",
      fault: { kind: "reset", when: "before" },
      code: "CLUSTER_UNAVAILABLE",
    },
    { it: "when a proxy answers instead", fault: { kind: "wrong-content" }, code: "CLUSTER_UNAVAILABLE" },
    {
      it: "when the cluster refuses every token",
      fault: { kind: "unauthorized" },
      code: "CLUSTER_TOKEN_REFUSED",
    },
  ] as const;
  it.each(faults)("$it all the time", async ({ fault, code }) => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    struck.sandbox.kubernetes.faults.add(fault);

    const { error } = await invokeWithin(relay, struck, { secretId: source.name }, 15_000);

    expect(error).toBeInstanceOf(SyncIncomplete);
    expect(error).toMatchObject({ code: "SYNC_INCOMPLETE", retryable: true });
    expect(error?.message).toContain(code);
    expect(codesOf(relay, "TARGET_FAILED")).toEqual([code]);
    expect(relay.metrics).toContainEqual({ name: "TargetsFailed", value: 1, code });
  });

  it("at once when Retry-After exceeds the remaining time", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    struck.sandbox.kubernetes.faults.add({ kind: "throttle", retryAfterSeconds: 30 });

    const { error } = await invokeWithin(relay, struck, { secretId: source.name }, 15_000);

    expect(error?.message).toContain("CLUSTER_THROTTLED");
    expect(struck.sandbox.kubernetes.requests.count("get", "secrets")).toBe(1);
  });

  it("before the Lambda timeout, with its outcome reported, when the cluster hangs", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    struck.sandbox.kubernetes.faults.add({ kind: "latency", ms: 5_000 });
    const startedAt = performance.now();

    const { error } = await invokeWithin(relay, struck, { secretId: source.name }, 1_600);

    expect(performance.now() - startedAt).toBeLessThan(1_600);
    expect(error?.message).toContain("CLUSTER_UNAVAILABLE");
    expect(relay.logs.map(({ code }) => code)).toEqual(["SYNC_STARTED", "TARGET_FAILED", "SYNC_COMPLETED"]);
  });

  it("before the Lambda timeout when Secrets Manager hangs", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    struck.sandbox.aws.faults.add({ kind: "latency", ms: 5_000, match: { operation: "GetSecretValue" } });
    const startedAt = performance.now();

    const { error } = await invokeWithin(relay, struck, { secretId: source.name }, 1_600);

    expect(performance.now() - startedAt).toBeLessThan(1_600);
    expect(error?.message).toContain("SOURCE_UNAVAILABLE");
  });
});

describe("a cluster that is unreachable", () => {
  it("does not delay other clusters, and is named in the failure", async () => {
    const silent = await startSilentServer();
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, {
      clusters: { silent: { ...pinnedCluster(struck.backend), endpoint: silent.endpoint } },
      bindings: [struck.bindTo(source), struck.bindTo(source, "db", "silent")],
    });
    let isOver = false;

    const invocation = invokeWithin(relay, struck, labelUpdated(struck.backend, source), 3_000).finally(
      () => {
        isOver = true;
      },
    );
    await expect.poll(() => struck.scene.readData("db"), { interval: 10 }).toEqual({ password: "first" });
    const wasOver = isOver;
    const { error } = await invocation;
    await silent.stop();

    expect(wasOver).toBe(false); // the first was written while the other still hung
    expect(error?.message).toBe("1 of 2 target(s) could not be written now: CLUSTER_UNAVAILABLE.");
    const failure = relay.logs.find(({ code }) => code === "TARGET_FAILED")?.fields;
    expect(failure?.target).toBe(`silent/${struck.scene.namespace}/db`);
  });

  it("is written on the next attempt of the event, which changes nothing in the other cluster", async () => {
    const { backend, sandbox, scene } = struck;
    const second = await startKubernetesSandbox({
      clusterName: "second",
      region: backend.aws.region,
      credentialsOf: (accessKeyId) => sandbox.aws.credentialsOf(accessKeyId),
    });
    const there = await openScene({ ...backend, kubernetes: second });
    await there.grant(["db"]);
    const source = await struck.createSource();
    const targets = [
      { namespace: scene.namespace, name: "db" },
      { cluster: "second", namespace: there.namespace, name: "db" },
    ];
    const relay = await startRelay(backend, {
      clusters: { second: pinnedCluster({ ...backend, kubernetes: second }) },
      bindings: [{ source: source.name, targets }],
    });
    const event = labelUpdated(backend, source);
    const endFault = second.faults.add({ kind: "reset", when: "before" });
    const { error } = await invokeWithin(relay, struck, event, 15_000);
    const before = await scene.readSecret("db");

    endFault();
    const { report } = await invokeWithin(relay, struck, event, 15_000);
    const written = await there.readData("db");
    there.close();
    await second.stop();

    expect(error).toBeInstanceOf(SyncIncomplete);
    expect(report?.targets).toMatchObject([{ outcome: "unchanged" }, { outcome: "written" }]);
    expect(written).toEqual({ password: "first" });
    expect((await scene.readSecret("db")).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});

/** Accepts connections and never responds. */
async function startSilentServer() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
