import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countNudges, nudgePatch, printNudge } from "../../shared/external-secrets/nudge.ts";
import { nudgeAndFollow } from "../../shared/external-secrets/nudge-and-follow.ts";
import type { Nudgeable, RefreshStatus } from "../../shared/external-secrets/objects.ts";
import { isRefreshedSince } from "../../shared/external-secrets/refresh.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";

const anyId = fc.stringMatching(/^[\x21-\x7e]{1,64}$/);

describe("the annotation", () => {
  it("counts what it prints, for this event and no other", () => {
    fc.assert(
      fc.property(
        anyId,
        anyId,
        anyId,
        fc.integer({ min: 1, max: 999 }),
        (versionId, eventId, other, count) => {
          const value = printNudge({ versionId, eventId }, count);

          expect(countNudges(value, { versionId, eventId })).toBe(count);
          if (other !== eventId) expect(countNudges(value, { versionId, eventId: other })).toBe(0);
        },
      ),
    );
  });

  it.each([undefined, "", "now", "v/e/", "v/e/0", "v/e/x", "v/e/1/2", "v/e/1000"])(
    "%j counts nothing",
    (value) => {
      expect(countNudges(value, { versionId: "v", eventId: "e" })).toBe(0);
    },
  );

  it("is all that the patch holds", () => {
    expect(nudgePatch("v/e/1")).toEqual({
      metadata: { annotations: { "external-secrets.io/force-sync": "v/e/1" } },
    });
  });
});

describe("a refresh", () => {
  const listed = { refreshedAt: 1_000, syncedResourceVersion: "1-a", isReady: true };
  const since = (status: RefreshStatus, before: object = {}) =>
    isRefreshedSince({ status }, { listed, atNudge: listed, nudgedAt: 5_000, ...before });

  it.each([
    {
      it: "has moved the version, within the same second too",
      status: { ...listed, syncedResourceVersion: "1-b" },
      want: true,
    },
    { it: "moved nothing", status: listed, want: false },
    {
      it: "of the interval, for the annotations before",
      status: { ...listed, refreshedAt: 5_000 },
      want: false,
    },
    { it: "that failed", status: { ...listed, syncedResourceVersion: "1-b", isReady: false }, want: false },
    { it: "that never was", status: { isReady: true }, want: false },
  ])("$it: $want", ({ status, want }) => expect(since(status)).toBe(want));

  it("that a twin's nudge brought between our list and our patch counts by its time", () => {
    const after = { refreshedAt: 5_000, syncedResourceVersion: "1-b", isReady: true };

    expect(since(after, { atNudge: after })).toBe(true);
    expect(since({ ...after, refreshedAt: 4_000 }, { atNudge: { ...after, refreshedAt: 4_000 } })).toBe(
      false,
    );
  });

  it("is judged by its time alone where ESO tells no version", () => {
    const old = { refreshedAt: 1_000, isReady: true };

    expect(since({ ...old, refreshedAt: 6_000 }, { listed: old, atNudge: old })).toBe(true);
    expect(since(old, { listed: old, atNudge: old })).toBe(false);
  });
});

describe("following", () => {
  /** An object that behaves as told at each read; time passes only by waiting. */
  const follow = async (
    statuses: readonly RefreshStatus[],
    object: Partial<Nudgeable> = {},
    deadlineMs = 20_000,
  ) => {
    let clock = 100_000;
    const written: string[] = [];
    const base: Nudgeable = { namespace: "shop", name: "db", isBeingDeleted: false, status: {}, ...object };
    let reads = 0;
    const result = await nudgeAndFollow(
      {
        now: () => clock,
        wait: async (ms) => {
          clock += ms;
        },
      },
      {
        object: base,
        name: "ExternalSecret/shop/db",
        stamp: { versionId: "v", eventId: "e" },
        deadlineMs,
        budget: startTimeBudget(60_000, () => clock),
        nudge: async (value) => {
          written.push(value);
          return { ...base, nudge: value, nudgedAt: clock };
        },
        read: async () => {
          const status = statuses[Math.min(reads, statuses.length - 1)] ?? {};
          reads += 1;
          return { ...base, status };
        },
      },
    );
    return { result, written, reads, tookMs: clock - 100_000 };
  };
  const done = { refreshedAt: 100_000, syncedResourceVersion: "1-b", isReady: true };
  const failed = { isReady: false, reason: "SecretSyncedError" };

  it("ends with the first read that shows the refresh", async () => {
    const { result, written } = await follow([{}, {}, done]);

    expect(result).toMatchObject({ kind: "refreshed", nudges: 1 });
    expect(written).toEqual(["v/e/1"]);
  });

  it("nudges again while ESO is in backoff, ever more rarely, and ends when it recovers", async () => {
    const { result, written } = await follow([...Array(20).fill(failed), done], {}, 30_000);

    expect(result).toMatchObject({ kind: "refreshed", nudges: written.length });
    expect(written.slice(0, 3)).toEqual(["v/e/1", "v/e/2", "v/e/3"]);
  });

  it("does not nudge again one that is merely slow", async () => {
    const { result, written } = await follow([{ ...done, syncedResourceVersion: "1-a", isReady: true }], {
      status: { ...done, syncedResourceVersion: "1-a" },
    });

    expect(result).toMatchObject({ kind: "failed", code: "EXTERNAL_SECRET_NOT_REFRESHED", nudges: 1 });
    expect(written).toHaveLength(1);
  });

  it("ends at its deadline, with ESO's own reason", async () => {
    const { result, tookMs, reads } = await follow([failed]);

    expect(result).toMatchObject({
      kind: "failed",
      code: "EXTERNAL_SECRET_SYNC_FAILED",
      reason: "SecretSyncedError",
      nudges: 3,
    });
    expect(tookMs).toBe(20_000);
    expect(reads).toBeLessThan(40);
  });

  it("leaves alone what an earlier try of the event has brought about", async () => {
    const { result, written } = await follow([done], { nudge: "v/e/1", nudgedAt: 100_000, status: done });

    expect(result).toEqual({ kind: "already" });
    expect(written).toEqual([]);
  });

  it("waits with a twin that has just nudged, and counts on from a try that is long over", async () => {
    const fresh = await follow([done], { nudge: "v/e/1", nudgedAt: 99_000 });
    const stale = await follow([{ ...done, refreshedAt: 100_000 }], { nudge: "v/e/1", nudgedAt: 40_000 });

    expect(fresh.written).toEqual([]);
    expect(fresh.result).toMatchObject({ kind: "refreshed", nudges: 0 });
    expect(stale.written).toEqual(["v/e/2"]);
  });
});
