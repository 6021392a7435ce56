import { describe, expect, it } from "vitest";
import type { CheckResult } from "../../cli/doctor/check-result.ts";
import { findRotation, isWrittenBySweep, parseLine } from "../../cli/verify/function-log.ts";
import { type Times, timeHops } from "../../cli/verify/hops.ts";
import {
  explainUnknownTimes,
  judgeArrival,
  judgeRotation,
  type LogEvidence,
} from "../../cli/verify/judge.ts";

const TIMES: Times = {
  startedAt: 1_000,
  sourceAt: 1_080,
  observedAt: 2_000,
  editStartedAt: 2_100,
  editAt: 2_120,
  sweepAt: 2_900,
  repairAt: 2_950,
  ofRelay: { eventAt: 1_500, functionAt: 1_590, secretAt: 1_580 },
};
const rowOf = (times: Times, hop: string) => timeHops(times, undefined).hops.find((row) => row.hop === hop);

describe("the time of a hop", () => {
  it("counts from the hop before it, and from the start of its part", () => {
    expect(timeHops(TIMES, undefined)).toMatchObject({ rotationMs: 580, repairMs: 850, clockShiftMs: 0 });
    expect(rowOf(TIMES, "event")).toMatchObject({ tookMs: 420, afterMs: 500 });
    expect(rowOf(TIMES, "secret")).toMatchObject({ tookMs: 80, afterMs: 580 });
    expect(rowOf(TIMES, "sweep")).toMatchObject({ tookMs: 780, afterMs: 800 });
  });

  it("is never negative: an event may arrive before the call that caused it is answered", () => {
    const early = { ...TIMES, ofRelay: { ...TIMES.ofRelay, eventAt: 1_040 } };
    expect(rowOf(early, "event")).toMatchObject({ tookMs: 0, afterMs: 40 });
  });

  it.each([
    { it: "ahead of AWS", byMs: -5_000, want: { clockShiftMs: 4_500 } },
    { it: "behind AWS", byMs: 5_000, want: { clockShiftMs: -4_580 } },
  ])("is put between start and observation if the clock of this machine is $it", ({ byMs, want }) => {
    const { eventAt = 0, functionAt = 0, secretAt = 0 } = TIMES.ofRelay;
    const ofRelay = { eventAt: eventAt + byMs, functionAt: functionAt + byMs, secretAt: secretAt + byMs };
    const timing = timeHops({ ...TIMES, ofRelay }, undefined);
    expect(timing).toMatchObject(want);
    expect(timing.rotationMs).toBeGreaterThanOrEqual(0);
    expect(timing.rotationMs).toBeLessThanOrEqual(1_000);
  });

  it("is unknown without the log, and the rotation then counts until the observation", () => {
    const timing = timeHops({ ...TIMES, ofRelay: {} }, undefined);
    expect(timing.rotationMs).toBe(1_000);
    expect(timing.hops.map(({ status }) => status).filter((status) => status === "unknown")).toHaveLength(3);
  });
});

describe("the log of the function", () => {
  const line = (at: number, fields: object) => parseLine(at, JSON.stringify(fields)) ?? expect.fail();
  const begun = (at: number, versionId?: string) => line(at, { logCode: "SYNC_STARTED", versionId });

  it("shows the rotation to this version, and not the one before it", () => {
    const lines = [
      begun(1, "before"),
      line(2, { logCode: "TARGET_REFUSED", code: "HELD" }),
      begun(3, "mine"),
      line(4, { logCode: "TARGET_WRITTEN", versionId: "mine" }),
      line(5, { logCode: "SYNC_COMPLETED" }),
    ];
    expect(findRotation(lines, "mine")).toEqual({ eventAt: 3, functionAt: 5, isRefused: false });
    expect(findRotation(lines.slice(0, 3), "other")).toEqual({ isRefused: false });
  });

  it("shows why a rotation was refused, by its code alone", () => {
    const refused = { logCode: "TARGET_REFUSED", code: "HELD", advice: "of another writer" };
    const lines = [begun(3, "mine"), line(4, refused)];
    expect(findRotation(lines, "mine")).toEqual({ eventAt: 3, failedWith: "HELD", isRefused: true });
    expect(JSON.stringify(lines)).not.toContain("another writer");
  });

  it("has the times at which the function wrote its lines, not those at which they arrived", () => {
    const timestamp = "2026-11-29T10:00:00.250Z";
    expect(line(Date.parse(timestamp) + 900, { logCode: "SYNC_STARTED", timestamp }).at).toBe(
      Date.parse(timestamp),
    );
    expect(line(7, { logCode: "SYNC_STARTED", timestamp: "soon" }).at).toBe(7);
  });

  it("shows a write by a sweep, and neither an earlier one nor one that did not happen", () => {
    const found = (at: number, action: string) => line(at, { logCode: "DRIFT_FOUND", action });
    expect(isWrittenBySweep([found(5, "written")], 5)).toBe(true);
    expect(isWrittenBySweep([found(4, "written"), found(6, "failed"), found(7, "update")], 5)).toBe(false);
    expect(isWrittenBySweep([line(6, { logCode: "SWEEP_COMPLETED" })], 5)).toBe(false);
  });

  it.each(["", "START RequestId: 1", "[1]", "null", '{"logCode":3}', '{"logCode":"\\u001b[2J"}'])(
    "skips a line that is none of the relay: %j",
    (message) => expect(parseLine(1, message)).toBeUndefined(),
  );
});

const names = { secret: "shop/canary", namespace: "shop", stack: " --stack-name other", seconds: 60 };
const rule = {
  check: "rule",
  status: "wrong",
  code: "RULE_DISABLED",
  says: "it is disabled",
  fix: "enable it",
  about: "r",
} as const;

describe("a value that arrived", () => {
  const inOrder = { check: "rule", status: "ok", says: "is enabled", about: "r" } as const;
  const ofOthers: LogEvidence = { isRefused: false };
  const ofThis: LogEvidence = { eventAt: 1, isRefused: false };

  it.each<{
    it: string;
    log: LogEvidence;
    rule?: CheckResult;
    isWrittenBySweep?: boolean;
    want: string | undefined;
  }>([
    { it: "the event", log: ofThis, want: undefined },
    { it: "the event, although the rule is disabled since", log: ofThis, rule, want: undefined },
    { it: "other invocations only", log: ofOthers, want: "EVENT_MISSING" },
    { it: "other invocations only, and the rule is disabled", log: ofOthers, rule, want: "RULE_DISABLED" },
    { it: "no line at all, and the rule is in order", log: "silent", want: undefined },
    { it: "no line at all, and the rule is disabled", log: "silent", rule, want: "RULE_DISABLED" },
    {
      it: "no line at all, and a sweep reports the write",
      log: "silent",
      isWrittenBySweep: true,
      want: "EVENT_MISSING",
    },
    { it: "nothing that verify may read", log: "unreadable", want: undefined },
    {
      it: "nothing that verify may read, and the rule is disabled",
      log: "unreadable",
      rule,
      want: "RULE_DISABLED",
    },
    {
      it: "nothing that verify may read, and a sweep reports the write",
      log: "unreadable",
      isWrittenBySweep: true,
      want: "EVENT_MISSING",
    },
  ])("is judged by $want if the log has $it", ({ log, rule = inOrder, isWrittenBySweep = false, want }) => {
    const fault = judgeArrival({ log, rule, isWrittenBySweep }, names);
    expect(fault?.code).toBe(want);
    if (fault !== undefined) expect(fault.hop).toBe("event");
  });

  it.each<[LogEvidence, string | undefined]>([
    ["silent", "LOG_SILENT"],
    ["unreadable", "LOG_UNREADABLE"],
    [ofThis, "LOG_INCOMPLETE"],
    [{ ...ofThis, functionAt: 2 }, undefined],
  ])("has times that are unknown for a stated reason: %j, %s", (log, code) => {
    expect(explainUnknownTimes(log)?.code).toBe(code);
  });
});

describe("a lost rotation", () => {
  it("is blamed on the rule only if the event did not arrive", () => {
    const call = { kind: "synced" } as const;
    expect(judgeRotation({ rule, call }, names)).toMatchObject({ hop: "event", code: "RULE_DISABLED" });
    const logged = { eventAt: 1, isRefused: false };
    expect(judgeRotation({ rule, call, logged }, names)).toMatchObject({
      hop: "function",
      code: "FUNCTION_SLOW",
      next: "secret-relay redrive --stack-name other",
    });
  });

  it("is not blamed on the relay if this machine could not look", () => {
    const unread = { code: "CLUSTER_UNAVAILABLE", advice: "No way." };
    const call = { kind: "not-called" } as const;
    expect(judgeRotation({ unread, rule, call }, names)).toMatchObject({ hop: "observed", says: "No way." });
  });

  it.each([
    ["SOURCE_FORBIDDEN", "function"],
    ["BINDINGS_STORE_DENIED", "function"],
    ["CLUSTER_TOKEN_REFUSED", "secret"],
    ["QUOTA_EXCEEDED", "secret"],
    ["CONTESTED", "secret"],
    ["NOT_OURS", "secret"],
    ["TimeoutError", "function"],
  ])("with %s in the answer of a direct call failed at hop %s", (code, hop) => {
    const call = { kind: "failed", why: { code: "FUNCTION_FAILED", advice: "" }, causes: [code] } as const;
    expect(judgeRotation({ call }, names)).toMatchObject({ hop, code });
  });
});
