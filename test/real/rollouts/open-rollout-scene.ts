import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { FollowUpMessage } from "../../../shared/workloads/follow-up-message.ts";
import { type RolloutStatus, rolloutStatus } from "../../../shared/workloads/rollout-status.ts";
import type { Backend } from "../../harness/backend.ts";
import { must } from "../../harness/fleet.ts";
import { grantRestarts } from "../../harness/grant-restarts.ts";
import { labelUpdated, startRelay, startSweeper, type TestSweeper } from "../../harness/relay.ts";
import type { Scene, TestSource } from "../../harness/scene.ts";
import type { KubectlRollout, KubectlVerdict } from "./kubectl-rollout.ts";
import type { PodState, TestNodes } from "./test-nodes.ts";

export const KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;
export type Kind = (typeof KINDS)[number];

/** A Secret `db`, and workloads `shop` that read it, one of each named kind, rolled out by the real controllers. */
export type RolloutScene = {
  readonly sweeper: TestSweeper;
  /** Puts a new value into the source and tells the relay. */
  rotate(): Promise<TestSource>;
  // biome-ignore lint/suspicious/noExplicitAny: a test reaches into whatever the server answers
  read(kind: Kind): Promise<any>;
  patch(kind: Kind, body: object): Promise<void>;
  remove(kind: Kind): Promise<void>;
  /** Handles the message by which the relay looks again. */
  look(): Promise<void>;
  step(state: PodState): Promise<number>;
  /** What kubectl and the relay say of the same state of the workload. */
  compare(kind: Kind): Promise<Compared>;
  /** Steps the pods until kubectl gives this verdict. Returns all that was compared on the way. */
  stepUntil(kind: Kind, verdict: KubectlVerdict, state?: PodState): Promise<Compared[]>;
  /** Whether the relay has reported that the rotation is effective. */
  isEffective(): boolean;
};

export type Compared = { kubectl: KubectlVerdict; text: string; relay: RolloutStatus };

export type RolloutSceneOptions = {
  readonly backend: Backend;
  readonly scene: Scene;
  readonly nodes: TestNodes;
  readonly kubectl: KubectlRollout;
  /** Their specs, where they differ from the usual. */
  readonly workloads: Partial<Record<Kind, object>>;
  /** The relay looks after its deadline, which is the shortest that it takes. */
  readonly isLate?: boolean;
  readonly workQueueUrl?: string;
};

export async function openRolloutScene(options: RolloutSceneOptions): Promise<RolloutScene> {
  const { backend, scene, nodes, kubectl, workloads, isLate = false, workQueueUrl } = options;
  const { namespace, admin } = scene;
  const kinds = Object.keys(workloads) as Kind[];
  const pathOf = (kind: Kind) => `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s/shop`;
  const target = {
    namespace,
    name: "db",
    restart: { workloads: kinds.map((kind) => ({ kind, name: "shop" })) },
  };
  let source = await scene.createSource(`prod/${randomUUID()}`, '{"password":"first"}');
  const relayOptions = {
    bindings: [{ source: source.name, targets: [target] }],
    env: {
      ...(isLate && { ROLLOUT_DEADLINE_SECONDS: "60" }),
      ...(workQueueUrl !== undefined && { WORK_QUEUE_URL: workQueueUrl }),
    },
  };
  const relay = await startRelay(backend, relayOptions);
  // A token is valid for some minutes before and after its time.
  const now = isLate ? () => Date.now() + 61_000 : Date.now;
  const sweeper = await startSweeper(backend, { ...relayOptions, now });

  const read: RolloutScene["read"] = async (kind) => (await admin(pathOf(kind))).body;
  const step = (state: PodState) => nodes.step(namespace, state);
  const compare: RolloutScene["compare"] = async (kind) => {
    for (;;) {
      const before = await read(kind);
      const { verdict, text } = await kubectl.status(`${kind.toLowerCase()}/shop`, namespace);
      const after = await read(kind);
      if (before.metadata.resourceVersion !== after.metadata.resourceVersion) continue; // the controller was faster
      return { kubectl: verdict, text, relay: rolloutStatus(kind, after) };
    }
  };
  const stepUntil: RolloutScene["stepUntil"] = async (kind, verdict, state = "ready") => {
    const compared: Compared[] = [];
    const giveUpAt = Date.now() + PATIENCE_MS;
    for (;;) {
      const both = await compare(kind);
      compared.push(both);
      if (both.kubectl === verdict) return compared;
      if (Date.now() > giveUpAt) expect.unreachable(`kubectl still says of the ${kind}: ${both.text}`);
      if ((await step(state)) === 0) await sleep(50);
    }
  };

  await scene.grant(["db"]);
  await grantRestarts(scene, backend);
  for (const kind of kinds) {
    const body = workloadOf(kind, workloads[kind] ?? {});
    await must(admin, pathOf(kind).replace(/\/shop$/, ""), { method: "POST", body });
  }
  for (const kind of kinds) await stepUntil(kind, "complete");
  await relay.invoke(labelUpdated(backend, source));
  return {
    sweeper,
    rotate: async () => {
      source = await scene.rotate(source, JSON.stringify({ password: randomUUID() }));
      await relay.invoke(labelUpdated(backend, source));
      return source;
    },
    read,
    patch: (kind, body) =>
      must(admin, pathOf(kind), { method: "PATCH", contentType: "application/merge-patch+json", body }),
    remove: (kind) => must(admin, pathOf(kind), { method: "DELETE" }),
    look: async () => {
      const message: FollowUpMessage = {
        version: 1,
        kind: "follow-up",
        target: { cluster: "main", namespace, name: "db" },
        startedAt: Date.now(),
        looks: 0,
      };
      const record = { messageId: randomUUID(), body: JSON.stringify(message) };
      expect(await sweeper.sweep({ Records: [record] })).toEqual({ batchItemFailures: [] });
    },
    step,
    compare,
    stepUntil,
    isEffective: () => sweeper.logs.some(({ code }) => code === "ROTATION_EFFECTIVE"),
  };
}

const PATIENCE_MS = 60_000;

function workloadOf(kind: Kind, spec: object): object {
  const labels = { app: kind.toLowerCase() };
  const containers = [
    { name: "main", image: "example.com/main:1", envFrom: [{ secretRef: { name: "db" } }] },
  ];
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "shop" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      ...(kind !== "DaemonSet" && { replicas: 2 }),
      ...(kind === "StatefulSet" && { serviceName: "shop" }),
      ...spec,
    },
  };
}
