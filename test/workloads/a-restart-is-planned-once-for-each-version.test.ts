import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { VersionId } from "../../shared/source/secret-id.ts";
import {
  type PendingRestart,
  parsePendingRestart,
  printPendingRestart,
} from "../../shared/workloads/pending-restart.ts";
import { planRestart, type RestartInput, restartPatch } from "../../shared/workloads/plan-restart.ts";
import {
  nudgedFor,
  RESTARTED_AT,
  restartedFor,
  rolledOut,
} from "../../shared/workloads/restart-annotations.ts";
import type { RawObject } from "../../shared/workloads/workload.ts";

const NOW = Date.parse("2026-11-24T10:00:00.000Z");
const iso = (ms: number) => new Date(ms).toISOString();
const version = (text: string) => text as VersionId;
const pending: PendingRestart = { versionId: version("v2"), changedAt: NOW - 1_000, isFirst: false };
const RESTARTED_FOR = restartedFor("db");

const workload = (
  spec: object = {},
  annotations: Record<string, string> = {},
  metadata: object = {},
): RawObject => ({
  metadata: { name: "shop", resourceVersion: "7", creationTimestamp: iso(NOW - 86_400_000), ...metadata },
  spec: { template: { metadata: { annotations } }, ...spec },
});
const inputOf = (more: Partial<RestartInput> = {}): RestartInput => ({
  kind: "Deployment",
  workload: workload(),
  secretName: "db",
  pending,
  minimumIntervalSeconds: 0,
  now: NOW,
  ...more,
});
const ask = (more: Partial<RestartInput> = {}) => planRestart(inputOf(more));

describe("a workload", () => {
  const restarts = { kind: "restart" };
  const already = { kind: "already" };
  const skip = (code: string) => ({ kind: "skip", code });
  const record = { kind: "record" };
  const first = { ...pending, isFirst: true };
  const implied = { ...first, changedAt: Number.POSITIVE_INFINITY, impliedBy: "3" };
  const startedWith = (version: string) => ({ annotations: { [RESTARTED_FOR]: version } });
  const rows: { it: string; input: Partial<RestartInput>; want: object }[] = [
    { it: "without a recorded version is restarted", input: {}, want: restarts },
    {
      it: "restarted for another version is restarted",
      input: { workload: workload({}, { [RESTARTED_FOR]: "v1" }) },
      want: restarts,
    },
    {
      it: "restarted for this version is not",
      input: { workload: workload({}, { [RESTARTED_FOR]: "v2" }) },
      want: already,
    },
    {
      it: "restarted for another Secret is restarted",
      input: { workload: workload({}, { [restartedFor("x")]: "v2" }) },
      want: restarts,
    },
    { it: "is not restarted for the first value of a Secret", input: { pending: first }, want: record },
    {
      it: "that started with this version is not restarted for it",
      input: { workload: workload({}, {}, startedWith("v2")) },
      want: already,
    },
    {
      it: "that started with another version is restarted",
      input: { workload: workload({}, {}, startedWith("v1")) },
      want: restarts,
    },
    {
      it: "that started with this version is not restarted when the Secret is recreated with it",
      input: { pending: first, workload: workload({}, {}, startedWith("v2")) },
      want: already,
    },
    {
      it: "that started with another version is restarted when the Secret is recreated",
      input: { pending: first, workload: workload({}, {}, startedWith("v1")) },
      want: restarts,
    },
    {
      it: "runs with the version of its last restart, for any version at its start",
      input: { pending: first, workload: workload({}, { [RESTARTED_FOR]: "v2" }, startedWith("v1")) },
      want: already,
    },
    {
      it: "that is a Rollout and started with another version is restarted",
      input: { kind: "Rollout", pending: first, workload: workload({}, {}, startedWith("v1")) },
      want: restarts,
    },
    {
      it: "that was only restarted for another Secret is not restarted for a first value",
      input: { pending: first, workload: workload({}, { [restartedFor("x")]: "v1" }) },
      want: record,
    },
    {
      it: "that is paused has its version recorded as well",
      input: { pending: first, workload: workload({ paused: true }) },
      want: record,
    },
    {
      it: "that is being deleted is skipped for a first value",
      input: { pending: first, workload: workload({}, {}, { deletionTimestamp: iso(NOW) }) },
      want: already,
    },
    {
      it: "has its version recorded when the Secret has no pending restart",
      input: { pending: implied },
      want: record,
    },
    {
      it: "is never restarted for a Secret without a pending restart",
      input: { pending: implied, workload: workload({}, {}, startedWith("v1")) },
      want: already,
    },
    {
      it: "is restarted for a first value if it ran with another",
      input: { pending: first, workload: workload({}, { [RESTARTED_FOR]: "v1" }) },
      want: restarts,
    },
    {
      it: "younger than the value is not restarted",
      input: { workload: workload({}, {}, { creationTimestamp: iso(NOW) }) },
      want: record,
    },
    {
      it: "younger than the value, with the annotations of an older one, is recorded again",
      input: { workload: workload({}, {}, { creationTimestamp: iso(NOW), ...startedWith("v1") }) },
      want: record,
    },
    {
      it: "younger than the value, with the pod template of an older one, is not restarted",
      input: { workload: workload({}, { [RESTARTED_FOR]: "v1" }, { creationTimestamp: iso(NOW) }) },
      want: already,
    },
    {
      it: "of the same second is restarted",
      input: { workload: workload({}, {}, { creationTimestamp: iso(NOW - 1_000) }) },
      want: restarts,
    },
    {
      it: "that is paused is skipped",
      input: { workload: workload({ paused: true }) },
      want: skip("WORKLOAD_PAUSED"),
    },
    {
      it: "that is paused but was restarted is done",
      input: { workload: workload({ paused: true }, { [RESTARTED_FOR]: "v2" }) },
      want: already,
    },
    {
      it: "that updates on delete is skipped",
      input: { kind: "StatefulSet", workload: workload({ updateStrategy: { type: "OnDelete" } }) },
      want: skip("WORKLOAD_UPDATES_ON_DELETE"),
    },
    {
      it: "that is being deleted is skipped",
      input: { workload: workload({}, {}, { deletionTimestamp: iso(NOW) }) },
      want: skip("WORKLOAD_BEING_DELETED"),
    },
    {
      it: "restarted within the interval is skipped",
      input: { minimumIntervalSeconds: 60, workload: workload({}, { [RESTARTED_AT]: iso(NOW - 59_999) }) },
      want: skip("RESTART_TOO_SOON"),
    },
    {
      it: "restarted longer ago is restarted",
      input: { minimumIntervalSeconds: 60, workload: workload({}, { [RESTARTED_AT]: iso(NOW - 60_000) }) },
      want: restarts,
    },
    {
      it: "with an invalid time is restarted",
      input: { minimumIntervalSeconds: 60, workload: workload({}, { [RESTARTED_AT]: "yesterday" }) },
      want: restarts,
    },
  ];

  it.each(rows)("$it", ({ input, want }) => expect(ask(input)).toMatchObject(want));

  it("is patched only in its template, and only in the observed state, and loses the record of its last rollout", () => {
    expect(restartPatch(inputOf())).toEqual({
      metadata: { resourceVersion: "7", annotations: { [rolledOut("db")]: null } },
      spec: {
        template: { metadata: { annotations: { [RESTARTED_FOR]: "v2", [RESTARTED_AT]: iso(NOW) } } },
      },
    });
  });

  it.each(["Deployment", "Rollout"] as const)(
    "that is a %s has the version recorded on its own metadata, which starts no rollout",
    (kind) => {
      expect(ask({ kind, pending: first })).toEqual({
        kind: "record",
        patch: { metadata: { resourceVersion: "7", annotations: { [RESTARTED_FOR]: "v2" } } },
      });
    },
  );

  it("that is a Rollout is annotated itself, with restartAt", () => {
    expect(restartPatch(inputOf({ kind: "Rollout" }))).toEqual({
      metadata: {
        resourceVersion: "7",
        annotations: { [RESTARTED_FOR]: "v2", [RESTARTED_AT]: iso(NOW), [rolledOut("db")]: null },
      },
      spec: { restartAt: "2026-11-24T10:00:00Z" },
    });
  });
});

describe("over any run of changes, repeats and refused patches", () => {
  const anyStep = fc.record({
    change: fc.constantFrom("none", "rotated", "recreated", "rotated and recreated"),
    isRefused: fc.boolean(),
    afterMs: fc.nat(120_000),
    invocations: fc.integer({ min: 1, max: 3 }),
  });

  it("each version restarts at most once, never sooner than the interval, and finally the newest runs", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), fc.nat(300), (steps, minimumIntervalSeconds) => {
        let now = NOW;
        let latest: PendingRestart = { versionId: version("v0"), changedAt: now, isFirst: true };
        let annotations: Record<string, string> = {};
        let startedWith: Record<string, string> = {};
        let running = latest.versionId; // what the pods hold, which the planner never sees
        const restartsOf = new Map<string, number>();
        const times: number[] = [];
        const settle = (isRefused: boolean) => {
          const live = workload({}, annotations, { annotations: startedWith });
          const plan = ask({ workload: live, pending: latest, minimumIntervalSeconds, now });
          if (plan.kind === "record" && !isRefused) startedWith = { [RESTARTED_FOR]: latest.versionId };
          if (plan.kind !== "restart" || isRefused) return;
          expect(running).not.toBe(latest.versionId);
          running = latest.versionId;
          annotations = { ...annotations, [RESTARTED_FOR]: latest.versionId, [RESTARTED_AT]: iso(now) };
          restartsOf.set(latest.versionId, (restartsOf.get(latest.versionId) ?? 0) + 1);
          times.push(now);
        };
        settle(false);
        for (const [index, { change, isRefused, afterMs, invocations }] of steps.entries()) {
          now += afterMs;
          const versionId = change.startsWith("rotated") ? version(`v${index + 1}`) : latest.versionId;
          if (change !== "none")
            latest = { versionId, changedAt: now, isFirst: change.endsWith("recreated") };
          for (let run = 0; run < invocations; run += 1) settle(isRefused);
        }
        now += 400_000;
        settle(false);

        expect([...restartsOf.values()].every((count) => count === 1)).toBe(true);
        expect(running).toBe(latest.versionId);
        expect(annotations[RESTARTED_FOR] ?? startedWith[RESTARTED_FOR]).toBe(latest.versionId);
        for (const [index, at] of times.entries()) {
          const before = times[index - 1];
          if (before !== undefined)
            expect(at - before).toBeGreaterThanOrEqual(minimumIntervalSeconds * 1_000);
        }
      }),
    );
  });
});

describe("a pending restart", () => {
  it("survives a round trip", () => {
    const anyPending = fc.record({
      versionId: fc.stringMatching(/^[!-~]{1,64}$/).map(version),
      changedAt: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      isFirst: fc.boolean(),
    });
    fc.assert(
      fc.property(anyPending, (each) => {
        expect(parsePendingRestart(printPendingRestart(each))).toEqual(each);
      }),
    );
  });

  it.each([
    undefined,
    "",
    "v1",
    "v1 yesterday",
    `v1 ${iso(NOW)} last`,
    `v1 ${iso(NOW)} first more`,
    ` ${iso(NOW)}`,
  ])("that the relay did not write is ignored: %j", (text) =>
    expect(parsePendingRestart(text)).toBeUndefined(),
  );
});

describe("the annotation key", () => {
  it("contains the Secret's name if it fits, and is valid for any name", () => {
    const legal = /^secret-relay\/(?=.{1,63}$)[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$/;
    const names = ["db", "a".repeat(49), "a".repeat(50), `${"a".repeat(100)}.b`, "x".repeat(253)];

    expect(restartedFor("db")).toBe("secret-relay/restarted-for-db");
    for (const name of names) {
      expect(restartedFor(name)).toMatch(legal);
      expect(nudgedFor(name)).toMatch(legal);
    }
    expect(new Set(names.map(restartedFor)).size).toBe(names.length);
  });
});
