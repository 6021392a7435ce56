import { describe, expect, it } from "vitest";
import { assessReaders } from "../../shared/assess/assess-readers.ts";
import type { Verdict } from "../../shared/assess/verdict.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import {
  type PendingRestart,
  parsePendingRestart,
  printPendingRestart,
} from "../../shared/workloads/pending-restart.ts";
import {
  parseRolledOut,
  RESTARTED_AT,
  restartedFor,
  rolledOut,
} from "../../shared/workloads/restart-annotations.ts";
import { type RolloutInput, rolloutProgress } from "../../shared/workloads/rollout-progress.ts";

const NOW = Date.parse("2026-11-24T10:10:00.000Z");
const RESTARTED = "2026-11-24T10:00:00.000Z";
const pending: PendingRestart = {
  versionId: "v2" as VersionId,
  changedAt: Date.parse(RESTARTED) - 1_000,
  isFirst: false,
};
const COMPLETE = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
const OPEN = { ...COMPLETE, updatedReplicas: 0 };

type Situation = {
  readonly restarted?: string;
  readonly recorded?: string;
  readonly status?: object;
  readonly paused?: boolean;
};

const follow = (
  { restarted = "v2", recorded, status = COMPLETE, paused = false }: Situation,
  more: Partial<RolloutInput> = {},
) =>
  rolloutProgress({
    kind: "Deployment",
    workload: {
      metadata: {
        resourceVersion: "7",
        generation: 2,
        ...(recorded && { annotations: { [rolledOut("db")]: recorded } }),
      },
      spec: {
        paused,
        template: {
          metadata: { annotations: { [restartedFor("db")]: restarted, [RESTARTED_AT]: RESTARTED } },
        },
      },
      status,
    },
    secretName: "db",
    pending,
    deadlineMs: 1_800_000,
    now: NOW,
    ...more,
  });

describe("a restarted workload", () => {
  it("is complete when its controller says so, and the record names version and time", () => {
    const progress = follow({});
    expect(progress).toMatchObject({ kind: "complete", completedAt: NOW });
    const { patch } = progress as { patch: { metadata: { annotations: Record<string, string> } } };
    expect(patch).toEqual({
      metadata: { resourceVersion: "7", annotations: { [rolledOut("db")]: "v2 2026-11-24T10:10:00.000Z" } },
    });
    expect(parseRolledOut(patch.metadata.annotations[rolledOut("db")])).toEqual({ versionId: "v2", at: NOW });
  });

  it("is followed no longer once that is recorded, even if a later deployment is stuck", () => {
    expect(follow({ recorded: "v2 2026-11-24T10:01:00.000Z", status: OPEN })).toEqual({
      kind: "recorded",
      completedAt: Date.parse("2026-11-24T10:01:00.000Z"),
    });
  });

  it("is followed again for the next version", () => {
    expect(follow({ recorded: "v1 2026-11-23T10:01:00.000Z" })).toMatchObject({ kind: "complete" });
  });

  it("is not followed when it runs with another version", () => {
    expect(follow({ restarted: "v1" })).toEqual({ kind: "none" });
  });

  it("is not followed when the record is not the relay's", () => {
    for (const recorded of ["", "v2", "v2 yesterday", "v2 2026-11-24T10:01:00.000Z more"]) {
      expect(follow({ recorded })).toMatchObject({ kind: "complete" });
    }
  });

  it.each([
    {
      it: "its own reason",
      status: { ...OPEN, conditions: [failed("FailedCreate")] },
      reason: "FailedCreate",
    },
    { it: "a pause", status: OPEN, paused: true, reason: "Paused" },
    { it: "the deadline", status: OPEN, reason: "RolloutDeadlineExceeded" },
  ])("is stuck after the deadline because of $it", ({ reason, ...situation }) => {
    const before = follow(situation);
    const after = follow(situation, { deadlineMs: 600_000 });
    expect(before).toMatchObject({ kind: "open" });
    expect(before).not.toMatchObject({ rollout: { state: "stuck" } });
    expect(after).toMatchObject({ kind: "open", rollout: { state: "stuck", reason } });
  });

  it("completes between its restart and now, whatever its controller's clock says", () => {
    const at = (time: string) => ({
      ...COMPLETE,
      conditions: [{ type: "Progressing", reason: "NewReplicaSetAvailable", lastUpdateTime: time }],
    });
    const completedAt = (time: string) => follow({ status: at(time) });
    expect(completedAt("2026-11-24T10:03:00Z")).toMatchObject({
      completedAt: Date.parse("2026-11-24T10:03:00Z"),
    });
    expect(completedAt("2026-11-24T09:00:00Z")).toMatchObject({ completedAt: Date.parse(RESTARTED) });
    expect(completedAt("2026-11-24T11:00:00Z")).toMatchObject({ completedAt: NOW });
  });
});

it("a pending restart keeps the time at which AWSCURRENT moved", () => {
  for (const isFirst of [true, false]) {
    const moved = { ...pending, movedAt: pending.changedAt - 2_000, isFirst };
    expect(parsePendingRestart(printPendingRestart(moved))).toEqual(moved);
  }
  expect(parsePendingRestart("v2 2026-11-24T10:00:00.000Z moved=then")).toBeUndefined();
});

describe("the verdict", () => {
  const inOrder: Verdict = {
    target: { cluster: "main", namespace: "shop", name: "db" },
    source: "prod/db",
    finding: null,
    action: "none",
    observed: "metadata",
    details: {},
  };
  const progressing = { rollout: { state: "progressing" } };
  const stuck = { rollout: { state: "stuck", reason: "ProgressDeadlineExceeded" } };

  it("on a Secret in order is that a rollout is stuck, with the reason", () => {
    expect(assessReaders(inOrder, { restarts: [progressing, stuck], outdatedPodCount: 1 })).toMatchObject({
      finding: "ROLLOUT_STUCK",
      action: "none",
      details: { cause: "ProgressDeadlineExceeded" },
    });
  });

  it("is that Pods are outdated, when no rollout replaces them", () => {
    expect(assessReaders(inOrder, { restarts: [], outdatedPodCount: 1 })).toMatchObject({
      finding: "PODS_OUTDATED",
      action: "none",
    });
    expect(assessReaders(inOrder, { outdatedPodCount: 0 })).toBe(inOrder);
  });

  it("does not change while rollouts progress", () => {
    expect(assessReaders(inOrder, { restarts: [progressing, {}], outdatedPodCount: 3 })).toBe(inOrder);
  });

  it("keeps a finding on the Secret itself", () => {
    const foreign: Verdict = { ...inOrder, finding: "FOREIGN_KEYS" };
    expect(assessReaders(foreign, { restarts: [stuck], outdatedPodCount: 1 })).toBe(foreign);
  });
});

function failed(reason: string) {
  return { type: "ReplicaFailure", status: "True", reason };
}
