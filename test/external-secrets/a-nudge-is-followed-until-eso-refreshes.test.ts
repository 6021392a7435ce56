import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countNudges, nudgePatch, printNudge } from "../../shared/external-secrets/nudge.ts";
import { nudgeAndFollow } from "../../shared/external-secrets/nudge-and-follow.ts";
import type { Nudgeable, RefreshStatus } from "../../shared/external-secrets/objects.ts";
import { isRefreshedSince } from "../../shared/external-secrets/refresh.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";

const anyId = fc.stringMatching(/^[\x21-\x7e]{1,64}$/);

describe("the annotation", () => {
  it("contains the count of nudges for this event, and for no other", () => {
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
    "%j counts as no nudge",
    (value) => {
      expect(countNudges(value, { versionId: "v", eventId: "e" })).toBe(0);
    },
  );

  it("is the only content of the patch", () => {
    expect(nudgePatch("v/e/1")).toEqual({
      metadata: { annotations: { "external-secrets.io/force-sync": "v/e/1" } },
    });
  });
});

describe("a refresh counts", () => {
  const listed = { refreshedAt: 1_000, syncedResourceVersion: "1-a", isReady: true };
  const since = (status: RefreshStatus, before: object = {}) =>
    isRefreshedSince({ status }, { listed, atNudge: listed, nudgedAt: 5_000, ...before });

  it.each([
    {
      it: "with a new version, also within the same second",
      status: { ...listed, syncedResourceVersion: "1-b" },
      want: true,
    },
    { it: "without a change", status: listed, want: false },
    {
      it: "with a periodic refresh of the previous annotations",
      status: { ...listed, refreshedAt: 5_000 },
      want: false,
    },
    {
      it: "after a failure",
      status: { ...listed, syncedResourceVersion: "1-b", isReady: false },
      want: false,
    },
    { it: "without any refresh", status: { isReady: true }, want: false },
  ])("$it: $want", ({ status, want }) => expect(since(status)).toBe(want));

  it("by its time if a parallel invocation nudged between our list and our patch", () => {
    const after = { refreshedAt: 5_000, syncedResourceVersion: "1-b", isReady: true };

    expect(since(after, { atNudge: after })).toBe(true);
    expect(since({ ...after, refreshedAt: 4_000 }, { atNudge: { ...after, refreshedAt: 4_000 } })).toBe(
      false,
    );
  });

  it("only by its time if ESO reports no version", () => {
    const old = { refreshedAt: 1_000, isReady: true };

    expect(since({ ...old, refreshedAt: 6_000 }, { listed: old, atNudge: old })).toBe(true);
    expect(since(old, { listed: old, atNudge: old })).toBe(false);
  });
});

describe("following", () => {
  /** An object with the given status at each read; time passes only by waiting. */
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

  it("nudges again while ESO is in backoff, at growing intervals, and ends when ESO recovers", async () => {
    const { result, written } = await follow([...Array(20).fill(failed), done], {}, 30_000);

    expect(result).toMatchObject({ kind: "refreshed", nudges: written.length });
    expect(written.slice(0, 3)).toEqual(["v/e/1", "v/e/2", "v/e/3"]);
  });

  it("does not nudge a slow object again", async () => {
    const { result, written } = await follow([{ ...done, syncedResourceVersion: "1-a", isReady: true }], {
      status: { ...done, syncedResourceVersion: "1-a" },
    });

    expect(result).toMatchObject({ kind: "failed", code: "EXTERNAL_SECRET_NOT_REFRESHED", nudges: 1 });
    expect(written).toHaveLength(1);
  });

  it("ends at its deadline, with the reason from ESO", async () => {
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

  it("skips an object that an earlier attempt of the same event refreshed", async () => {
    const { result, written } = await follow([done], { nudge: "v/e/1", nudgedAt: 100_000, status: done });

    expect(result).toEqual({ kind: "already" });
    expect(written).toEqual([]);
  });

  it("waits after a recent nudge of a parallel invocation, and continues the count of an old attempt", async () => {
    const fresh = await follow([done], { nudge: "v/e/1", nudgedAt: 99_000 });
    const stale = await follow([{ ...done, refreshedAt: 100_000 }], { nudge: "v/e/1", nudgedAt: 40_000 });

    expect(fresh.written).toEqual([]);
    expect(fresh.result).toMatchObject({ kind: "refreshed", nudges: 0 });
    expect(stale.written).toEqual(["v/e/2"]);
  });
});
