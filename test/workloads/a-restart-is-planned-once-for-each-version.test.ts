import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { VersionId } from "../../shared/secret-id/secret-id.ts";
import { type Notice, parseNotice, printNotice } from "../../shared/workloads/notice.ts";
import { planRestart, type RestartQuestion } from "../../shared/workloads/plan-restart.ts";
import { nudgedFor, RESTARTED_AT, restartedFor } from "../../shared/workloads/stamps.ts";
import type { RawObject } from "../../shared/workloads/workload.ts";

const NOW = Date.parse("2026-11-24T10:00:00.000Z");
const iso = (ms: number) => new Date(ms).toISOString();
const version = (text: string) => text as VersionId;
const notice: Notice = { versionId: version("v2"), changedAt: NOW - 1_000, isFirst: false };
const STAMP = restartedFor("db");

const workload = (
  spec: object = {},
  stamps: Record<string, string> = {},
  metadata: object = {},
): RawObject => ({
  metadata: { name: "shop", resourceVersion: "7", creationTimestamp: iso(NOW - 86_400_000), ...metadata },
  spec: { template: { metadata: { annotations: stamps } }, ...spec },
});
const ask = (more: Partial<RestartQuestion> = {}) =>
  planRestart({
    kind: "Deployment",
    workload: workload(),
    secretName: "db",
    notice,
    minimumIntervalSeconds: 0,
    now: NOW,
    ...more,
  });

describe("a workload", () => {
  const restarts = { kind: "restart" };
  const already = { kind: "already" };
  const skip = (code: string) => ({ kind: "skip", code });
  const record = { kind: "record" };
  const first = { ...notice, isFirst: true };
  const implied = { ...first, changedAt: Number.POSITIVE_INFINITY, impliedBy: "3" };
  const startedWith = (version: string) => ({ annotations: { [STAMP]: version } });
  const rows: { it: string; asked: Partial<RestartQuestion>; want: object }[] = [
    { it: "without a stamp is restarted", asked: {}, want: restarts },
    {
      it: "stamped with another version is restarted",
      asked: { workload: workload({}, { [STAMP]: "v1" }) },
      want: restarts,
    },
    {
      it: "stamped with this version is not",
      asked: { workload: workload({}, { [STAMP]: "v2" }) },
      want: already,
    },
    {
      it: "stamped for another Secret is restarted",
      asked: { workload: workload({}, { [restartedFor("x")]: "v2" }) },
      want: restarts,
    },
    { it: "is not restarted for the first value of a Secret", asked: { notice: first }, want: record },
    {
      it: "that started with this version is not restarted for it",
      asked: { workload: workload({}, {}, startedWith("v2")) },
      want: already,
    },
    {
      it: "that started with another version is restarted",
      asked: { workload: workload({}, {}, startedWith("v1")) },
      want: restarts,
    },
    {
      it: "that started with this version is not restarted when the Secret is recreated with it",
      asked: { notice: first, workload: workload({}, {}, startedWith("v2")) },
      want: already,
    },
    {
      it: "that started with another version is restarted when the Secret is recreated",
      asked: { notice: first, workload: workload({}, {}, startedWith("v1")) },
      want: restarts,
    },
    {
      it: "runs with the version of its last restart, whatever it started with",
      asked: { notice: first, workload: workload({}, { [STAMP]: "v2" }, startedWith("v1")) },
      want: already,
    },
    {
      it: "that is a Rollout and started with another version is restarted",
      asked: { kind: "Rollout", notice: first, workload: workload({}, {}, startedWith("v1")) },
      want: restarts,
    },
    {
      it: "that was only stamped for another Secret is not restarted for a first value",
      asked: { notice: first, workload: workload({}, { [restartedFor("x")]: "v1" }) },
      want: record,
    },
    {
      it: "that is paused has its version recorded all the same",
      asked: { notice: first, workload: workload({ paused: true }) },
      want: record,
    },
    {
      it: "that is being deleted is left alone for a first value",
      asked: { notice: first, workload: workload({}, {}, { deletionTimestamp: iso(NOW) }) },
      want: already,
    },
    {
      it: "has its version recorded when the Secret has no notice",
      asked: { notice: implied },
      want: record,
    },
    {
      it: "is never restarted for a Secret without a notice",
      asked: { notice: implied, workload: workload({}, {}, startedWith("v1")) },
      want: already,
    },
    {
      it: "is restarted for a first value when it had another",
      asked: { notice: first, workload: workload({}, { [STAMP]: "v1" }) },
      want: restarts,
    },
    {
      it: "younger than the value is not restarted",
      asked: { workload: workload({}, {}, { creationTimestamp: iso(NOW) }) },
      want: record,
    },
    {
      it: "younger than the value, with the annotations of an older one, is recorded anew",
      asked: { workload: workload({}, {}, { creationTimestamp: iso(NOW), ...startedWith("v1") }) },
      want: record,
    },
    {
      it: "younger than the value, with the pod template of an older one, is not restarted",
      asked: { workload: workload({}, { [STAMP]: "v1" }, { creationTimestamp: iso(NOW) }) },
      want: already,
    },
    {
      it: "of the same second is restarted",
      asked: { workload: workload({}, {}, { creationTimestamp: iso(NOW - 1_000) }) },
      want: restarts,
    },
    {
      it: "that is paused is skipped",
      asked: { workload: workload({ paused: true }) },
      want: skip("WORKLOAD_PAUSED"),
    },
    {
      it: "that is paused but was restarted is done",
      asked: { workload: workload({ paused: true }, { [STAMP]: "v2" }) },
      want: already,
    },
    {
      it: "that updates on delete is skipped",
      asked: { kind: "StatefulSet", workload: workload({ updateStrategy: { type: "OnDelete" } }) },
      want: skip("WORKLOAD_UPDATES_ON_DELETE"),
    },
    {
      it: "that is being deleted is skipped",
      asked: { workload: workload({}, {}, { deletionTimestamp: iso(NOW) }) },
      want: skip("WORKLOAD_BEING_DELETED"),
    },
    {
      it: "restarted within the interval is skipped",
      asked: { minimumIntervalSeconds: 60, workload: workload({}, { [RESTARTED_AT]: iso(NOW - 59_999) }) },
      want: skip("RESTART_TOO_SOON"),
    },
    {
      it: "restarted longer ago is restarted",
      asked: { minimumIntervalSeconds: 60, workload: workload({}, { [RESTARTED_AT]: iso(NOW - 60_000) }) },
      want: restarts,
    },
    {
      it: "with a time that is none is restarted",
      asked: { minimumIntervalSeconds: 60, workload: workload({}, { [RESTARTED_AT]: "yesterday" }) },
      want: restarts,
    },
  ];

  it.each(rows)("$it", ({ asked, want }) => expect(ask(asked)).toMatchObject(want));

  it("is patched at its template only, in the state that was looked at", () => {
    expect(ask()).toEqual({
      kind: "restart",
      patch: {
        metadata: { resourceVersion: "7" },
        spec: { template: { metadata: { annotations: { [STAMP]: "v2", [RESTARTED_AT]: iso(NOW) } } } },
      },
    });
  });

  it.each(["Deployment", "Rollout"] as const)(
    "that is a %s has the version recorded on its own metadata, which starts no rollout",
    (kind) => {
      expect(ask({ kind, notice: first })).toEqual({
        kind: "record",
        patch: { metadata: { resourceVersion: "7", annotations: { [STAMP]: "v2" } } },
      });
    },
  );

  it("that is a Rollout is stamped itself, and told when", () => {
    expect(ask({ kind: "Rollout" })).toEqual({
      kind: "restart",
      patch: {
        metadata: { resourceVersion: "7", annotations: { [STAMP]: "v2", [RESTARTED_AT]: iso(NOW) } },
        spec: { restartAt: "2026-11-24T10:00:00Z" },
      },
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

  it("each version restarts at most once, never sooner than the interval, and at last the newest runs", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), fc.nat(300), (steps, minimumIntervalSeconds) => {
        let now = NOW;
        let told: Notice = { versionId: version("v0"), changedAt: now, isFirst: true };
        let stamps: Record<string, string> = {};
        let startedWith: Record<string, string> = {};
        let running = told.versionId; // what the pods hold, which the planner never sees
        const restartsOf = new Map<string, number>();
        const times: number[] = [];
        const settle = (isRefused: boolean) => {
          const seen = workload({}, stamps, { annotations: startedWith });
          const plan = ask({ workload: seen, notice: told, minimumIntervalSeconds, now });
          if (plan.kind === "record" && !isRefused) startedWith = { [STAMP]: told.versionId };
          if (plan.kind !== "restart" || isRefused) return;
          expect(running).not.toBe(told.versionId);
          running = told.versionId;
          stamps = { ...stamps, [STAMP]: told.versionId, [RESTARTED_AT]: iso(now) };
          restartsOf.set(told.versionId, (restartsOf.get(told.versionId) ?? 0) + 1);
          times.push(now);
        };
        settle(false);
        for (const [index, { change, isRefused, afterMs, invocations }] of steps.entries()) {
          now += afterMs;
          const versionId = change.startsWith("rotated") ? version(`v${index + 1}`) : told.versionId;
          if (change !== "none") told = { versionId, changedAt: now, isFirst: change.endsWith("recreated") };
          for (let run = 0; run < invocations; run += 1) settle(isRefused);
        }
        now += 400_000;
        settle(false);

        expect([...restartsOf.values()].every((count) => count === 1)).toBe(true);
        expect(running).toBe(told.versionId);
        expect(stamps[STAMP] ?? startedWith[STAMP]).toBe(told.versionId);
        for (const [index, at] of times.entries()) {
          const before = times[index - 1];
          if (before !== undefined)
            expect(at - before).toBeGreaterThanOrEqual(minimumIntervalSeconds * 1_000);
        }
      }),
    );
  });
});

describe("a notice", () => {
  it("is read as it was written", () => {
    const anyNotice = fc.record({
      versionId: fc.stringMatching(/^[!-~]{1,64}$/).map(version),
      changedAt: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      isFirst: fc.boolean(),
    });
    fc.assert(
      fc.property(anyNotice, (each) => {
        expect(parseNotice(printNotice(each))).toEqual(each);
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
  ])("that is none of ours tells nothing: %j", (text) => expect(parseNotice(text)).toBeUndefined());
});

describe("a stamp's key", () => {
  it("holds the Secret's name where there is room, and is legal for any name", () => {
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
