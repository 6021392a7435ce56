import { describe, expect, it } from "vitest";
import type { ExternalSecret, SyncWindows } from "../../shared/external-secrets/objects.ts";
import { parseExternalSecret } from "../../shared/external-secrets/parse-objects.ts";
import { findSkipReason, isOutsideWindow } from "../../shared/external-secrets/skip-reason.ts";
import { isSyncWindowClosed } from "../../shared/external-secrets/sync-window.ts";

const synced = { refreshTime: "2026-11-25T03:00:00Z", syncedResourceVersion: "1-abc" };
const reading = (spec: object, status: object = synced, metadata: object = {}): ExternalSecret =>
  parseExternalSecret({
    metadata: { namespace: "shop", name: "db", ...metadata },
    spec: { secretStoreRef: { name: "aws" }, data: [{ remoteRef: { key: "prod/db" } }], ...spec },
    status,
  }) as ExternalSecret;

describe("an annotation is", () => {
  const generator = {
    data: [],
    dataFrom: [{ sourceRef: { generatorRef: { kind: "Password", name: "p" } } }],
  };

  it.each([
    { it: "followed by default", external: reading({}), want: undefined },
    {
      it: "ignored with interval 0 once synced",
      external: reading({ refreshInterval: "0s" }),
      want: "REFRESH_DISABLED",
    },
    {
      it: "ignored with interval 0 without a unit",
      external: reading({ refreshInterval: "0" }),
      want: "REFRESH_DISABLED",
    },
    {
      it: "followed with interval 0 until it is synced",
      external: reading({ refreshInterval: "0s" }, {}),
      want: undefined,
    },
    {
      it: "followed with OnChange, for any interval",
      external: reading({ refreshInterval: "0s", refreshPolicy: "OnChange" }),
      want: undefined,
    },
    {
      it: "ignored with CreatedOnce once synced",
      external: reading({ refreshPolicy: "CreatedOnce" }),
      want: "REFRESH_CREATED_ONCE",
    },
    {
      it: "followed with CreatedOnce until it is synced",
      external: reading({ refreshPolicy: "CreatedOnce" }, {}),
      want: undefined,
    },
    {
      it: "ignored if the object only generates values",
      external: reading(generator),
      want: "GENERATOR_ONLY",
    },
    {
      it: "ignored if the object is being deleted",
      external: reading({}, synced, { deletionTimestamp: "2026-11-25T03:00:00Z" }),
      want: "EXTERNAL_SECRET_BEING_DELETED",
    },
  ])("$it", ({ external, want }) => expect(findSkipReason(external)).toBe(want));
});

describe("a sync window", () => {
  const at = (time: string): number => Date.parse(`2026-11-${time}:00Z`); // the 25th is a Wednesday
  const nightly = { schedule: "0 22 * * 1-5", durationMs: 8 * 3_600_000 };
  const closed = (kind: "allow" | "deny", windows: SyncWindows["windows"], time: string) =>
    isSyncWindowClosed({ kind, windows }, at(time));

  it.each([
    { time: "25T21:59", allow: true },
    { time: "25T22:00", allow: false },
    { time: "26T05:59", allow: false },
    { time: "26T06:00", allow: true },
    { time: "28T05:30", allow: false }, // Saturday morning belongs to the window of Friday
    { time: "28T23:00", allow: true }, // no window on Saturday night
  ])(
    "that allows weekday nights is closed at $time: $allow; one that denies them: the opposite",
    ({ time, allow }) => {
      expect(closed("allow", [nightly], time)).toBe(allow);
      expect(closed("deny", [nightly], time)).toBe(!allow);
    },
  );

  it.each([
    { schedule: "*/15 3 * * *", time: "25T03:46", isOpen: true },
    { schedule: "*/15 3 * * *", time: "25T03:55", isOpen: false },
    { schedule: "0 3 25 * 1", time: "25T03:05", isOpen: true }, // the day or the weekday, as in cron
    { schedule: "0 3 26 * mon-tue", time: "25T03:05", isOpen: false },
    { schedule: "@daily", time: "25T00:05", isOpen: true },
    { schedule: "0 0 1 JAN *", time: "25T00:05", isOpen: false },
  ])("of `$schedule` for ten minutes is open at $time: $isOpen", ({ schedule, time, isOpen }) => {
    expect(closed("allow", [{ schedule, durationMs: 600_000 }], time)).toBe(!isOpen);
  });

  it.each(["@every 1h", "61 * * * *", "* * * *", "a b c d e", "5-1 * * * *"])(
    "of the unsupported `%s` has no result",
    (schedule) => {
      expect(closed("allow", [{ schedule, durationMs: 600_000 }], "25T00:05")).toBeUndefined();
    },
  );

  it("that is closed affects only a periodic refresh", () => {
    const syncWindows = { kind: "deny", windows: [{ schedule: "* * * * *", duration: "1m" }] };
    const outside = (more: object) => isOutsideWindow(reading({ syncWindows, ...more }), at("25T00:05"));

    expect([outside({}), outside({ refreshPolicy: "OnChange" })]).toEqual([true, false]);
  });
});
