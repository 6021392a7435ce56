import { randomUUID } from "node:crypto";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { grantRestarts, RESTART_RULES } from "../harness/grant-restarts.ts";
import {
  labelUpdated,
  startRelay,
  startSweeper,
  type TestRelay,
  type TestSweeper,
} from "../harness/relay.ts";
import type { TestSource } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const PLACES: Readonly<Record<string, string>> = {
  Deployment: "apps/v1/deployments",
  StatefulSet: "apps/v1/statefulsets",
  DaemonSet: "apps/v1/daemonsets",
  Rollout: "argoproj.io/v1alpha1/rollouts",
};
const KINDS = Object.keys(PLACES);
const QUEUED = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"] as const;
const PODS = { apiGroups: [""], resources: ["pods"], verbs: ["list"] };

/** A rotation is followed until the pods run with it. The test writes the statuses, as the controllers do. */
export function describeRolloutContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);
  let sqs: SQSClient;
  let queueUrl: string;
  let relay: TestRelay;
  let sweeper: TestSweeper;
  let source: TestSource;

  beforeAll(() => {
    sqs = new SQSClient({});
  });
  afterAll(() => sqs.destroy());
  beforeEach(async () => {
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: `work-${randomUUID()}` }));
    queueUrl = QueueUrl;
  });

  const pathOf = (kind: string, name = ""): string => {
    const [group, version, resource] = (PLACES[kind] ?? "").split("/");
    return `/apis/${group}/${version}/namespaces/${at.scene.namespace}/${resource}${name && `/${name}`}`;
  };
  const create = async (kind: string): Promise<void> => {
    const [group, version] = (PLACES[kind] ?? "").split("/");
    const labels = { app: "shop" };
    const containers = [
      { name: "main", image: "example.com/main:1", envFrom: [{ secretRef: { name: "db" } }] },
    ];
    const body = {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name: "shop" },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
        ...(kind === "StatefulSet" && { serviceName: "shop" }),
      },
    };
    expect((await at.scene.admin(pathOf(kind), { method: "POST", body })).status).toBe(201);
  };
  const patch = async (path: string, body: object): Promise<void> => {
    const { status, body: answer } = await at.scene.admin(path, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body,
    });
    expect([status, answer.message]).toEqual([200, undefined]);
  };
  const read = async (kind: string) => (await at.scene.admin(pathOf(kind, "shop"))).body;
  const setStatus = (kind: string, status: object) => patch(`${pathOf(kind, "shop")}/status`, { status });

  const complete = async (kind: string): Promise<void> => {
    const { metadata, spec } = await read(kind);
    const observedGeneration = metadata.generation;
    const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    const nodes = { desiredNumberScheduled: 1, currentNumberScheduled: 1, numberMisscheduled: 0 };
    const statuses: Readonly<Record<string, object>> = {
      Deployment: { observedGeneration, ...counts },
      StatefulSet: { observedGeneration, ...counts, currentRevision: "b", updateRevision: "b" },
      DaemonSet: {
        ...{ observedGeneration, ...nodes, numberReady: 1 },
        ...{ updatedNumberScheduled: 1, numberAvailable: 1 },
      },
      Rollout: { phase: "Healthy", restartedAt: spec.restartAt },
    };
    await setStatus(kind, statuses[kind] ?? {});
  };
  const fail = async (kind: string): Promise<string> => {
    const { metadata } = await read(kind);
    const reason = kind === "Rollout" ? "RolloutAborted" : "ProgressDeadlineExceeded";
    const conditions = [{ type: "Progressing", status: "False", reason, message: "it took too long" }];
    await setStatus(kind, {
      ...(kind === "Rollout" ? { phase: "Degraded" } : { observedGeneration: metadata.generation }),
      conditions,
    });
    return reason;
  };

  /** A Secret whose second version has restarted the workload. */
  const restart = async (
    kind: string,
    { rules, ...more }: { rules?: typeof RESTART_RULES; checkPods?: boolean } = {},
  ): Promise<TestSource> => {
    await at.scene.grant(["db", "cache"]);
    await grantRestarts(at.scene, used.backend, rules);
    await create(kind);
    source = await at.scene.createSource(`prod/${randomUUID()}`, '{"password":"first"}');
    const target = { namespace: at.scene.namespace, name: "db", restart: [{ kind, name: "shop" }], ...more };
    const options = {
      bindings: [{ source: source.name, targets: [target] }],
      env: { WORK_QUEUE_URL: queueUrl },
    };
    relay = await startRelay(used.backend, options);
    sweeper = await startSweeper(used.backend, options);
    await rotateTo(source);
    return rotateTo(await at.scene.rotate(source, '{"password":"second"}'));
  };
  const rotateTo = async (about: TestSource): Promise<TestSource> => {
    await relay.invoke(labelUpdated(used.backend, about));
    return about;
  };
  const receive = async (): Promise<Message[]> => {
    await used.backend.clock.advance(5_200); // the first pause, and then some
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    );
    return Messages;
  };
  /** Messages that are still to be received, now or later. */
  const countQueued = async (): Promise<number> => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...QUEUED] }),
    );
    return QUEUED.reduce((sum, name) => sum + Number(Attributes[name]), 0);
  };
  const handle = async (messages: readonly Message[]): Promise<void> => {
    const Records = messages.map(({ MessageId, Body }) => ({ messageId: MessageId, body: Body }));
    expect(await sweeper.sweep({ Records })).toEqual({ batchItemFailures: [] });
  };
  const codes = () => sweeper.logs.map(({ code }) => code);
  const times = () => sweeper.metrics.filter(({ name }) => name === "TimeToEffective");

  describe("a restart", () => {
    it.each(KINDS)("of a %s is followed by a message until its pods run with the version", async (kind) => {
      const second = await restart(kind);
      const messages = await receive();
      expect(messages).toHaveLength(1);
      await complete(kind);

      await handle(messages);
      await handle(messages); // SQS delivers at least once

      const { annotations } = (await read(kind)).metadata;
      expect(annotations["secret-relay/rolled-out-db"]).toMatch(new RegExp(`^${second.versionId} 20`));
      expect(codes().filter((code) => code === "ROTATION_EFFECTIVE")).toHaveLength(1);
      expect(times()).toEqual([{ name: "TimeToEffective", value: expect.any(Number) }]);
      expect(await countQueued()).toBe(0);
    });

    it.each(["Deployment", "Rollout"])(
      "of a %s that gets stuck is reported with the reason of its controller",
      async (kind) => {
        await restart(kind);
        const messages = await receive();
        const reason = await fail(kind);

        await handle(messages);
        const { targets } = await sweeper.sweep({ sweep: "metadata" });

        expect(sweeper.logs.find(({ code }) => code === "ROLLOUT_STUCK")?.fields).toMatchObject({
          workload: `${kind}/shop`,
          code: reason,
        });
        expect(sweeper.metrics).toContainEqual({ name: "RolloutsStuck", value: 1, code: reason });
        expect(targets).toMatchObject([{ finding: "ROLLOUT_STUCK", action: "none", cause: reason }]);
        expect(await countQueued()).toBe(0);
      },
    );

    it.each(["StatefulSet", "DaemonSet"])(
      "of a %s, which has no deadline, is stuck after the relay's",
      async (kind) => {
        await restart(kind);
        const messages = await receive();
        const before = await sweeper.sweep({ sweep: "metadata", plan: true });
        const { annotations } = (await read(kind)).spec.template.metadata;
        const longAgo = new Date(Date.now() - 3_600_000).toISOString();
        await patch(pathOf(kind, "shop"), {
          spec: {
            template: { metadata: { annotations: { ...annotations, "secret-relay/restarted-at": longAgo } } },
          },
        });

        await handle(messages);

        expect(before.targets).toMatchObject([
          { finding: null, restarts: [{ rollout: { state: "progressing" } }] },
        ]);
        expect(sweeper.logs.find(({ code }) => code === "ROLLOUT_STUCK")?.fields).toMatchObject({
          workload: `${kind}/shop`,
          code: "RolloutDeadlineExceeded",
        });
      },
    );

    describe("that gets stuck, with checkPods", () => {
      const runPod = async (version: string): Promise<void> => {
        const pods = `/api/v1/namespaces/${at.scene.namespace}/pods`;
        const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "shop-6d4c", uid: randomUUID() };
        const metadata = {
          name: "shop-6d4c-1",
          labels: { "pod-template-hash": "6d4c" },
          annotations: { "secret-relay/restarted-for-db": version },
          ownerReferences: [{ ...owner, controller: true }],
        };
        const spec = { containers: [{ name: "main", image: "example.com/main:1" }] };
        const body = { apiVersion: "v1", kind: "Pod", metadata, spec };
        expect((await at.scene.admin(pods, { method: "POST", body })).status).toBe(201);
        const waiting = { reason: "CrashLoopBackOff", message: "canary-5d1c" };
        const container = { name: "main", ready: false, restartCount: 3, image: "main", imageID: "" };
        await patch(`${pods}/shop-6d4c-1/status`, {
          status: { phase: "Running", containerStatuses: [{ ...container, state: { waiting } }] },
        });
      };

      it("names why its new pods do not start, in the log and in the finding, without the message", async () => {
        const { versionId } = await restart("Deployment", {
          checkPods: true,
          rules: [...RESTART_RULES, PODS],
        });
        await runPod(versionId);
        const messages = await receive();
        await fail("Deployment");

        await handle(messages);
        const { targets } = await sweeper.sweep({ sweep: "metadata" });

        const podReasons = ["CrashLoopBackOff"];
        expect(sweeper.logs.find(({ code }) => code === "ROLLOUT_STUCK")?.fields).toMatchObject({
          podReasons,
        });
        expect(sweeper.logs.find(({ code }) => code === "DRIFT_FOUND")?.fields).toMatchObject({ podReasons });
        expect(targets).toMatchObject([
          { finding: "ROLLOUT_STUCK", podReasons, restarts: [{ rollout: { state: "stuck", podReasons } }] },
        ]);
        expect(JSON.stringify([targets, sweeper.logs])).not.toContain("canary-5d1c");
      });

      it("says that the Pods could not be listed, if that right is missing", async () => {
        await restart("Deployment", { checkPods: true });
        await fail("Deployment");

        const { targets } = await sweeper.sweep({ sweep: "metadata" });

        expect(targets).toMatchObject([{ finding: "ROLLOUT_STUCK", podsUnknown: "CLUSTER_FORBIDDEN" }]);
      });
    });

    it("whose message is lost is found by the sweep, which measures the same time", async () => {
      await restart("Deployment");
      await complete("Deployment");

      await sweeper.sweep({ sweep: "metadata" });
      await sweeper.sweep({ sweep: "metadata" });

      expect(times()).toHaveLength(1);
      expect(codes()).toContain("ROTATION_EFFECTIVE");
    });

    it("that is not complete is looked at again, later", async () => {
      await restart("Deployment");
      const messages = await receive();

      await handle(messages);

      expect(codes()).not.toContain("ROTATION_EFFECTIVE");
      expect(await receive()).toEqual([]); // the second pause is longer
      await used.backend.clock.advance(5_000);
      const [next] = await receive();
      expect(JSON.parse(next?.Body ?? "")).toMatchObject({ kind: "follow-up", looks: 1 });
    });

    it("for a newer version is followed instead of the older one", async () => {
      const second = await restart("Deployment");
      const messages = await receive();
      const third = await rotateTo(await at.scene.rotate(second, '{"password":"third"}'));
      await complete("Deployment");

      await handle(messages);

      const { annotations } = (await read("Deployment")).metadata;
      expect(annotations["secret-relay/rolled-out-db"]).toMatch(new RegExp(`^${third.versionId} `));
      expect(times()).toHaveLength(1);
    });

    it("that serves another Secret too is followed for both", async () => {
      const second = await restart("StatefulSet");
      const cache = await at.scene.createSource(`prod/${randomUUID()}`, '{"token":"first"}');
      const workloads = [{ kind: "StatefulSet", name: "shop" }];
      const { namespace } = at.scene;
      const options = {
        bindings: [
          { source: second.name, targets: [{ namespace, name: "db", restart: workloads }] },
          {
            source: cache.name,
            targets: [{ namespace, name: "cache", restart: { workloads, minimumIntervalSeconds: 3_600 } }],
          },
        ],
        env: { WORK_QUEUE_URL: queueUrl },
      };
      relay = await startRelay(used.backend, options);
      sweeper = await startSweeper(used.backend, options);
      await rotateTo(cache);
      const newCache = await rotateTo(await at.scene.rotate(cache, '{"token":"second"}'));
      await receive(); // of the restart for the second version

      const third = await rotateTo(await at.scene.rotate(second, '{"password":"third"}'));
      const messages = await receive();
      await complete("StatefulSet");
      await handle(messages);

      expect(relay.logs.findLast(({ code }) => code === "WORKLOAD_RESTARTED")?.fields.alsoFor).toEqual([
        "cache",
      ]);
      expect(messages).toHaveLength(2);
      const { annotations } = (await read("StatefulSet")).metadata;
      expect(annotations["secret-relay/rolled-out-db"]).toMatch(new RegExp(`^${third.versionId} `));
      expect(annotations["secret-relay/rolled-out-cache"]).toMatch(new RegExp(`^${newCache.versionId} `));
      expect(times()).toHaveLength(2);
    });

    it("for a version that is rolled back to is followed again", async () => {
      const second = await restart("Deployment");
      await complete("Deployment");
      await handle(await receive());
      const third = await rotateTo(await at.scene.rotate(second, '{"password":"third"}'));
      await rotateTo(await at.scene.rollBack(third, second)); // before the rollout of the third is complete
      const { annotations } = (await read("Deployment")).metadata;
      await complete("Deployment");

      await sweeper.sweep({ sweep: "metadata" });

      expect(annotations?.["secret-relay/rolled-out-db"]).toBeUndefined();
      expect((await read("Deployment")).metadata.annotations["secret-relay/rolled-out-db"]).toMatch(
        new RegExp(`^${second.versionId} `),
      );
      expect(times()).toHaveLength(2);
    });

    it("is followed by the sweep also when the source is gone", async () => {
      await restart("Deployment");
      await complete("Deployment");
      await at.scene.deleteSource(source);

      await sweeper.sweep({ sweep: "metadata" });

      expect(codes()).toContain("ROTATION_EFFECTIVE");
    });

    it("of a workload that is paused meanwhile is looked at again", async () => {
      await restart("Deployment");
      const messages = await receive();
      await patch(pathOf("Deployment", "shop"), { spec: { paused: true } });

      const { targets } = await sweeper.sweep({ sweep: "metadata", plan: true });
      await handle(messages);

      expect(targets).toMatchObject([{ finding: null, restarts: [{ rollout: { state: "paused" } }] }]);
      expect(codes()).not.toContain("ROLLOUT_STUCK");
    });

    it("of a workload that is deleted meanwhile ends, and its absence is reported", async () => {
      await restart("Deployment");
      const messages = await receive();
      await at.scene.admin(pathOf("Deployment", "shop"), { method: "DELETE" });

      await handle(messages);

      expect(sweeper.logs.find(({ code }) => code === "RESTART_REFUSED")?.fields.code).toBe(
        "WORKLOAD_MISSING",
      );
      expect(await countQueued()).toBe(0);
    });

    it("of a Secret that is deleted meanwhile ends", async () => {
      await restart("Deployment");
      const messages = await receive();
      await at.scene.deleteSecret("db");

      await handle(messages);

      expect(codes()).toEqual([]);
      expect(await countQueued()).toBe(0);
    });
  });
}
