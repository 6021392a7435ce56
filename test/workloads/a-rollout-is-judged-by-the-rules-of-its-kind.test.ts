import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WorkloadKind } from "../../shared/bindings/binding.ts";
import { rolloutStatus } from "../../shared/workloads/rollout-status.ts";
import { type RawObject, slimWorkload } from "../../shared/workloads/workload.ts";

type Row = { it: string; spec?: object; status?: object; generation?: number; want: object };

const judge = (kind: WorkloadKind, { spec = {}, status, generation = 2 }: Omit<Row, "it" | "want">) =>
  rolloutStatus(kind, {
    metadata: { name: "shop", generation },
    spec,
    ...(status && { status: { observedGeneration: 2, ...status } }),
  });
const condition = (type: string, reason: unknown, status = "True") => ({ type, status, reason });

describe("a Deployment", () => {
  const all = { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
  const spec = { replicas: 3 };
  const rows: Row[] = [
    { it: "is complete when all pods are new and available", spec, status: all, want: { state: "complete" } },
    {
      it: "names the time at which its controller completed it",
      spec,
      status: {
        ...all,
        conditions: [
          {
            ...condition("Progressing", "NewReplicaSetAvailable"),
            lastUpdateTime: "2026-11-24T10:00:07Z",
          },
        ],
      },
      want: { state: "complete", completedAt: Date.parse("2026-11-24T10:00:07Z") },
    },
    {
      it: "is progressing until its controller has observed the change",
      spec,
      status: all,
      generation: 3,
      want: { state: "progressing" },
    },
    { it: "is progressing without a status", spec, want: { state: "progressing" } },
    {
      it: "is progressing while a new pod is missing",
      spec,
      status: { ...all, updatedReplicas: 2 },
      want: { state: "progressing", pods: { available: 2, desired: 3 } },
    },
    {
      it: "is progressing while an old pod runs",
      spec,
      status: { ...all, replicas: 4 },
      want: { state: "progressing" },
    },
    {
      it: "is progressing while a new pod is not available",
      spec,
      status: { ...all, availableReplicas: 2 },
      want: { state: "progressing", pods: { available: 2, desired: 3 } },
    },
    {
      it: "does not count a new pod that starts beside the old ones as available",
      spec,
      status: { replicas: 4, updatedReplicas: 2, readyReplicas: 3, availableReplicas: 3 },
      want: { state: "progressing", pods: { available: 1, desired: 3 } },
    },
    {
      it: "is paused when an operator pauses it halfway",
      spec: { ...spec, paused: true },
      status: { ...all, updatedReplicas: 1 },
      want: { state: "paused" },
    },
    {
      it: "is complete although it is paused afterwards",
      spec: { ...spec, paused: true },
      status: all,
      want: { state: "complete" },
    },
    {
      it: "is stuck after its progress deadline",
      spec,
      status: {
        ...all,
        updatedReplicas: 1,
        conditions: [condition("Progressing", "ProgressDeadlineExceeded", "False")],
      },
      want: { state: "stuck", reason: "ProgressDeadlineExceeded" },
    },
    {
      it: "is stuck for the reason of its ReplicaSet, such as a quota",
      spec,
      status: {
        ...all,
        updatedReplicas: 0,
        conditions: [
          condition("Progressing", "ProgressDeadlineExceeded", "False"),
          condition("ReplicaFailure", "FailedCreate"),
        ],
      },
      want: { state: "stuck", reason: "FailedCreate" },
    },
    {
      it: "names the failure of its ReplicaSet before the deadline",
      spec,
      status: { ...all, updatedReplicas: 0, conditions: [condition("ReplicaFailure", "FailedCreate")] },
      want: { state: "progressing", reason: "FailedCreate" },
    },
    {
      it: "has one replica by default",
      status: { replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
      want: { state: "complete", pods: { available: 1, desired: 1 } },
    },
    { it: "with no replicas is complete", spec: { replicas: 0 }, status: {}, want: { state: "complete" } },
  ];
  it.each(rows)("$it", ({ want, ...row }) => expect(judge("Deployment", row)).toMatchObject(want));
});

describe("a StatefulSet", () => {
  const spec = { replicas: 3 };
  const revisions = { currentRevision: "a", updateRevision: "b" };
  const all = {
    replicas: 3,
    readyReplicas: 3,
    updatedReplicas: 3,
    currentRevision: "b",
    updateRevision: "b",
  };
  const partition = { ...spec, updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } };
  const rows: Row[] = [
    { it: "is complete when its revision is current", spec, status: all, want: { state: "complete" } },
    {
      it: "is progressing while revisions differ",
      spec,
      status: { ...all, ...revisions, updatedReplicas: 2 },
      want: { state: "progressing", pods: { available: 2, desired: 3 } },
    },
    {
      it: "does not count a new pod that starts in the place of an old one as available",
      spec,
      status: { ...all, ...revisions, readyReplicas: 2, updatedReplicas: 2 },
      want: { state: "progressing", pods: { available: 1, desired: 3 } },
    },
    {
      it: "is progressing while a pod is not ready",
      spec,
      status: { ...all, readyReplicas: 2 },
      want: { state: "progressing" },
    },
    {
      it: "is progressing until its controller has observed the change",
      spec,
      status: all,
      generation: 3,
      want: { state: "progressing" },
    },
    {
      it: "with a partition keeps old pods, and is stuck once the others are new",
      spec: partition,
      status: { ...all, ...revisions, updatedReplicas: 1 },
      want: { state: "stuck", reason: "Partition", pods: { available: 1, desired: 3 } },
    },
    {
      it: "with a partition is progressing before that",
      spec: partition,
      status: { ...all, ...revisions, updatedReplicas: 0 },
      want: { state: "progressing" },
    },
    {
      it: "with a partition is complete once the partition was lowered and raised again",
      spec: partition,
      status: all,
      want: { state: "complete" },
    },
  ];
  it.each(rows)("$it", ({ want, ...row }) => expect(judge("StatefulSet", row)).toMatchObject(want));
});

describe("a DaemonSet", () => {
  const all = { desiredNumberScheduled: 4, updatedNumberScheduled: 4, numberAvailable: 4 };
  const rows: Row[] = [
    { it: "is complete when each node runs a new pod", status: all, want: { state: "complete" } },
    {
      it: "is progressing while a node runs an old pod",
      status: { ...all, updatedNumberScheduled: 3 },
      want: { state: "progressing", pods: { available: 3, desired: 4 } },
    },
    {
      it: "does not count a new pod that starts in the place of an old one as available",
      status: { ...all, updatedNumberScheduled: 2, numberAvailable: 3 },
      want: { state: "progressing", pods: { available: 1, desired: 4 } },
    },
    {
      it: "is progressing while a pod is not available",
      status: { ...all, numberAvailable: 3 },
      want: { state: "progressing", pods: { available: 3, desired: 4 } },
    },
    {
      it: "is progressing until its controller has observed the change",
      status: all,
      generation: 3,
      want: { state: "progressing" },
    },
  ];
  it.each(rows)("$it", ({ want, ...row }) => expect(judge("DaemonSet", row)).toMatchObject(want));
});

describe("an Argo Rollout", () => {
  const spec = { restartAt: "2026-11-24T10:00:00Z" };
  const rows: Row[] = [
    {
      it: "is complete when its controller has replaced all older pods",
      spec,
      status: { phase: "Healthy", restartedAt: "2026-11-24T10:00:00Z" },
      want: { state: "complete" },
    },
    {
      it: "is complete in the middle of a canary that waits for a promotion",
      spec,
      status: { phase: "Paused", restartedAt: "2026-11-24T10:00:00Z" },
      want: { state: "complete" },
    },
    {
      it: "is progressing until then",
      spec,
      status: { phase: "Healthy", restartedAt: "2026-11-23T10:00:00Z" },
      want: { state: "progressing" },
    },
    {
      it: "is progressing while a new template replaces the restart",
      spec,
      status: { phase: "Progressing", restartedAt: "2026-11-24T10:00:00Z" },
      want: { state: "progressing" },
    },
    { it: "is progressing without a status", spec, want: { state: "progressing" } },
    {
      it: "is paused when an operator pauses it",
      spec: { ...spec, paused: true },
      status: { phase: "Paused" },
      want: { state: "paused" },
    },
    {
      it: "is stuck for the reason of its controller",
      spec,
      status: { phase: "Degraded", conditions: [condition("Progressing", "RolloutAborted", "False")] },
      want: { state: "stuck", reason: "RolloutAborted" },
    },
    {
      it: "is stuck when it is degraded without a reason",
      spec,
      status: { phase: "Degraded" },
      want: { state: "stuck", reason: "Degraded" },
    },
  ];
  it.each(rows)("$it", ({ want, ...row }) => expect(judge("Rollout", row)).toMatchObject(want));
});

describe("any status", () => {
  const kinds = fc.constantFrom<WorkloadKind>("Deployment", "StatefulSet", "DaemonSet", "Rollout");
  const anything = fc.dictionary(
    fc.constantFrom(
      "observedGeneration",
      "replicas",
      "updatedReplicas",
      "conditions",
      "phase",
      "restartedAt",
      "readyReplicas",
    ),
    fc.anything({ maxDepth: 2 }),
  );

  it("gets a state, and a reason only if that is one word", () => {
    fc.assert(
      fc.property(kinds, anything, fc.string(), (kind, status, reason) => {
        const conditions = [condition("Progressing", reason), condition("ReplicaFailure", reason)];
        for (const odd of [status, { ...status, conditions }]) {
          const { state, reason: named = "None" } = rolloutStatus(kind, { status: odd } as RawObject);
          expect(["complete", "progressing", "paused", "stuck"]).toContain(state);
          expect(named).toMatch(/^\w+$/);
        }
      }),
    );
  });

  it("is the same for the slim form of the workload", () => {
    const workload = {
      metadata: { name: "shop", generation: 2, managedFields: [] },
      spec: { replicas: 2, selector: {} },
      status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2, others: [] },
    };
    expect(slimWorkload(workload)).not.toHaveProperty("status.others");
    expect(rolloutStatus("Deployment", slimWorkload(workload))).toEqual(
      rolloutStatus("Deployment", workload),
    );
  });
});
