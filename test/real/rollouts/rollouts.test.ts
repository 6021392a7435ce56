import { randomUUID } from "node:crypto";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { must } from "../../harness/fleet.ts";
import { kubernetesCall } from "../../harness/kubernetes-request.ts";
import { startRealBackend } from "../../harness/start-real-backend.ts";
import { useBackend, useScene } from "../../harness/use-scene.ts";
import { WORKLOAD_CONTROLLERS } from "../control-plane/start-controllers.ts";
import { type KubectlRollout, openKubectlRollout } from "./kubectl-rollout.ts";
import {
  type Compared,
  KINDS,
  type Kind,
  openRolloutScene,
  type RolloutScene,
} from "./open-rollout-scene.ts";
import { startTestNodes, type TestNodes } from "./test-nodes.ts";

/** The relay's states, in kubectl's words. */
const KUBECTL = { complete: "complete", progressing: "waiting", paused: "waiting", stuck: "failed" } as const;

const STRATEGIES: readonly [Kind, string, object][] = [
  ["Deployment", "RollingUpdate", { minReadySeconds: 1 }],
  ["Deployment", "Recreate", { strategy: { type: "Recreate" } }],
  ["StatefulSet", "OrderedReady", { minReadySeconds: 1 }],
  ["StatefulSet", "Parallel", { podManagementPolicy: "Parallel" }],
  ["DaemonSet", "RollingUpdate", { minReadySeconds: 1 }],
  ["DaemonSet", "maxSurge", { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }],
];

/** The controllers of a real kube-controller-manager write the statuses, and a real kubectl judges them. */
describe("a rollout by the real controllers", () => {
  const used = useBackend(() => startRealBackend({ controllers: WORKLOAD_CONTROLLERS }));
  const at = useScene(used);
  let nodes: TestNodes;
  let kubectl: KubectlRollout;

  beforeAll(async () => {
    const admin = kubernetesCall(used.backend.kubernetes);
    kubectl = openKubectlRollout(used.backend.kubernetes);
    nodes = await startTestNodes(admin);
    return () => {
      admin.close();
      kubectl.remove();
    };
  });

  const open = (
    workloads: Partial<Record<Kind, object>>,
    more: { isLate?: boolean; workQueueUrl?: string } = {},
  ): Promise<RolloutScene> => {
    const { backend } = used;
    return openRolloutScene({ backend, scene: at.scene, nodes, kubectl, workloads, ...more });
  };
  const mustAgree = (compared: readonly Compared[]): void => {
    expect(compared.map(({ relay, text }) => [KUBECTL[relay.state], text])).toEqual(
      compared.map(({ kubectl: verdict, text }) => [verdict, text]),
    );
  };
  const completeBy = async (scene: RolloutScene, kind: Kind): Promise<void> => {
    mustAgree(await scene.stepUntil(kind, "complete"));
    await scene.look();
    await scene.look(); // SQS delivers at least once
    expect(scene.sweeper.logs.filter(({ code }) => code === "ROTATION_EFFECTIVE")).toHaveLength(1);
  };
  const stuckBy = ({ sweeper }: RolloutScene) =>
    sweeper.logs.find(({ code }) => code === "ROLLOUT_STUCK")?.fields.code;

  it.each(STRATEGIES)("of a %s (%s) is complete when kubectl says so", async (kind, _strategy, spec) => {
    const scene = await open({ [kind]: spec });
    const { versionId } = await scene.rotate();
    const compared: Compared[] = [];

    for (let looks = 0; looks < LOOKS_MAX && !scene.isEffective(); looks += 1) {
      compared.push(await scene.compare(kind));
      await scene.look();
      if (compared.at(-1)?.kubectl === "complete") expect(scene.isEffective()).toBe(true);
      else await scene.step("ready");
    }

    compared.push(await scene.compare(kind));
    mustAgree(compared);
    expect(compared[0]?.kubectl).toBe("waiting");
    expect(compared.at(-1)?.kubectl).toBe("complete");
    const { annotations } = (await scene.read(kind)).metadata;
    expect(annotations["secret-relay/rolled-out-db"]).toMatch(new RegExp(`^${versionId} 20`));
  });

  it("of a Deployment was complete when its controller says so, however late the relay looks", async () => {
    const scene = await open({ Deployment: {} }, { isLate: true });
    await scene.rotate();

    await completeBy(scene, "Deployment");

    const { metadata, spec, status } = await scene.read("Deployment");
    const [, recorded] = metadata.annotations["secret-relay/rolled-out-db"].split(" ");
    const restartedAt = spec.template.metadata.annotations["secret-relay/restarted-at"];
    const { lastUpdateTime } = status.conditions.find(({ type }: { type: string }) => type === "Progressing");
    // The controller writes whole seconds.
    const [told, restarted] = [Date.parse(lastUpdateTime), Date.parse(restartedAt)];
    expect(Date.parse(recorded)).toBeGreaterThanOrEqual(Math.max(told, restarted));
    expect(Date.parse(recorded)).toBeLessThanOrEqual(Math.max(told + 999, restarted));
  });

  it("is not repeated by the record of its completion", async () => {
    const scene = await open({ Deployment: {}, StatefulSet: {}, DaemonSet: {} });
    await scene.rotate();
    for (const kind of KINDS) await scene.stepUntil(kind, "complete");
    const pods = () => at.scene.admin(`/api/v1/namespaces/${at.scene.namespace}/pods`);
    const uidsOf = async () => (await pods()).body.items.map(({ metadata }: Pod) => metadata.uid).sort();
    const before = await uidsOf();

    await scene.look();

    for (const kind of KINDS) expect((await scene.compare(kind)).kubectl).toBe("complete");
    expect(scene.isEffective()).toBe(true);
    expect(await uidsOf()).toEqual(before);
  });

  it("of three workloads is effective with the last of them, by the messages of the queue", async () => {
    const sqs = new SQSClient({});
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: `work-${randomUUID()}` }));
    const scene = await open({ Deployment: {}, StatefulSet: {}, DaemonSet: {} }, { workQueueUrl: QueueUrl });
    await scene.rotate();

    for (let looks = 0; looks < LOOKS_MAX && !scene.isEffective(); looks += 1) {
      await scene.step("ready");
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
      for (const { MessageId: messageId, Body: body, ReceiptHandle } of Messages) {
        await scene.sweeper.sweep({ Records: [{ messageId, body }] });
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }

    for (const kind of KINDS) expect((await scene.compare(kind)).kubectl).toBe("complete");
    const { metrics } = scene.sweeper;
    expect(metrics).toContainEqual({ name: "TimeToEffective", value: expect.any(Number) });
    sqs.destroy();
  });

  it.each(KINDS)("of a %s without pods is complete", async (kind) => {
    const scene = await open({ [kind]: kind === "DaemonSet" ? NO_NODE : { replicas: 0 } });
    await scene.rotate();

    await completeBy(scene, kind);
  });

  it("of a Deployment whose pods crash is stuck when its controller gives up, until they run", async () => {
    const scene = await open({ Deployment: {} });
    await scene.patch("Deployment", { spec: { progressDeadlineSeconds: 2 } });
    await scene.rotate();
    mustAgree(await scene.stepUntil("Deployment", "failed", "crashing"));

    await scene.look();
    const { targets } = await scene.sweeper.sweep({ sweep: "metadata" });

    expect(stuckBy(scene)).toBe("ProgressDeadlineExceeded");
    expect(targets).toMatchObject([{ finding: "ROLLOUT_STUCK", cause: "ProgressDeadlineExceeded" }]);
    await completeBy(scene, "Deployment");
    expect((await scene.sweeper.sweep({ sweep: "metadata" })).targets).toEqual([]);
  });

  it("of a Deployment whose pods a quota refuses is stuck, with that reason", async () => {
    const scene = await open({ Deployment: { progressDeadlineSeconds: 2 } });
    const quotas = `/api/v1/namespaces/${at.scene.namespace}/resourcequotas`;
    const [hard, used] = [{ pods: "2" }, { pods: "2" }];
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "pods" }, spec: { hard } };
    await must(at.scene.admin, quotas, { method: "POST", body: quota });
    // As the controller of quotas does.
    await must(at.scene.admin, `${quotas}/pods/status`, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: { status: { hard, used } },
    });
    await scene.rotate();

    mustAgree(await scene.stepUntil("Deployment", "failed"));
    await scene.look();

    expect(stuckBy(scene)).toBe("FailedCreate");
  });

  it.each(["StatefulSet", "DaemonSet"] as const)(
    "of a %s whose pods crash is stuck after the relay's deadline, until they run",
    async (kind) => {
      const scene = await open({ [kind]: {} }, { isLate: true });
      await scene.rotate();
      const crashed: Compared[] = [];
      while ((await scene.step("crashing")) > 0) crashed.push(await scene.compare(kind));

      await scene.look();

      mustAgree(crashed);
      expect(crashed.at(-1)?.kubectl).toBe("waiting"); // for ever
      expect(stuckBy(scene)).toBe("RolloutDeadlineExceeded");
      await completeBy(scene, kind);
    },
  );

  it("of a StatefulSet with a partition is stuck for the relay, although kubectl calls it complete", async () => {
    const scene = await open({ StatefulSet: { updateStrategy: { rollingUpdate: { partition: 1 } } } });
    await scene.rotate();
    const compared = await scene.stepUntil("StatefulSet", "complete");

    await scene.look();

    expect(compared.at(-1)).toMatchObject({
      text: expect.stringContaining("partitioned roll out complete"),
      relay: { state: "stuck", reason: "Partition", pods: { available: 1, desired: 2 } },
    });
    expect(stuckBy(scene)).toBe("Partition");
    await scene.patch("StatefulSet", { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
    await completeBy(scene, "StatefulSet");
  });

  it.each(KINDS)("of a %s that a newer version supersedes is followed for that one", async (kind) => {
    const scene = await open({ [kind]: {} });
    await scene.rotate();
    await scene.step("crashing");
    await scene.step("crashing");
    const third = await scene.rotate();

    await scene.look();
    expect(scene.isEffective()).toBe(false);
    await completeBy(scene, kind);

    const { annotations } = (await scene.read(kind)).metadata;
    expect(annotations["secret-relay/rolled-out-db"]).toMatch(new RegExp(`^${third.versionId} `));
  });

  it.each(KINDS)("of a %s that is deleted meanwhile ends, and its absence is reported", async (kind) => {
    const scene = await open({ [kind]: {} });
    await scene.rotate();
    await scene.step("ready");
    await scene.remove(kind);

    await scene.look();

    const refused = scene.sweeper.logs.find(({ code }) => code === "RESTART_REFUSED");
    expect(refused?.fields.code).toBe("WORKLOAD_MISSING");
  });

  it("of a Deployment that is paused meanwhile goes on when it is resumed", async () => {
    const scene = await open({ Deployment: {} });
    await scene.rotate();
    await scene.step("ready");
    await scene.patch("Deployment", { spec: { paused: true } });
    const compared: Compared[] = [];
    while ((await scene.step("ready")) > 0) compared.push(await scene.compare("Deployment"));

    await scene.look();

    mustAgree(compared);
    expect((await scene.compare("Deployment")).relay.state).toBe("paused");
    expect([stuckBy(scene), scene.isEffective()]).toEqual([undefined, false]);
    await scene.patch("Deployment", { spec: { paused: false } });
    await completeBy(scene, "Deployment");
  });

  it("of a Deployment that was paused before begins with the first sweep after it is resumed", async () => {
    const scene = await open({ Deployment: {} });
    await scene.patch("Deployment", { spec: { paused: true } });
    await scene.rotate();
    mustAgree([await scene.compare("Deployment")]);
    await scene.sweeper.sweep({ sweep: "metadata" });
    expect(scene.sweeper.logs.find(({ code }) => code === "RESTART_SKIPPED")?.fields.code).toBe(
      "WORKLOAD_PAUSED",
    );

    await scene.patch("Deployment", { spec: { paused: false } });
    await scene.sweeper.sweep({ sweep: "metadata" });

    expect(scene.sweeper.logs.map(({ code }) => code)).toContain("WORKLOAD_RESTARTED");
    await completeBy(scene, "Deployment");
  });
});

const LOOKS_MAX = 100;

type Pod = { readonly metadata: { readonly uid: string } };

const NO_NODE = {
  template: {
    metadata: { labels: { app: "daemonset" } },
    spec: {
      nodeSelector: { disk: "none" },
      containers: [{ name: "main", image: "example.com/main:1", envFrom: [{ secretRef: { name: "db" } }] }],
    },
  },
};
