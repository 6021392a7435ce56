import { describe, expect, it } from "vitest";
import { describeRotation } from "../../cli/targets/describe-rotation.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import type { RestartOutcome } from "../../shared/workloads/outcome.ts";
import type { PendingRestart } from "../../shared/workloads/pending-restart.ts";
import { rotationOf } from "../../shared/workloads/rotation.ts";

const MOVED = Date.parse("2026-11-24T10:00:00.000Z");
const pending: PendingRestart = {
  versionId: "v2" as VersionId,
  changedAt: MOVED + 1_200,
  movedAt: MOVED,
  isFirst: false,
};
const at = (seconds: number) => new Date(MOVED + seconds * 1_000).toISOString();

const already = (workload: string, more: Partial<RestartOutcome> = {}): RestartOutcome => ({
  workload,
  outcome: "already",
  ...more,
});
const effective = already("Deployment/api", { effectiveAt: at(38) });
const rolling = already("Deployment/web", {
  rollout: { state: "progressing", pods: { available: 2, desired: 3 } },
});
const stuck = already("Deployment/web", {
  rollout: { state: "stuck", reason: "ProgressDeadlineExceeded", podReasons: ["CrashLoopBackOff"] },
});
const tooSoon: RestartOutcome = { workload: "Deployment/web", outcome: "skipped", code: "RESTART_TOO_SOON" };
const missing: RestartOutcome = { workload: "Deployment/web", outcome: "refused", code: "WORKLOAD_MISSING" };

describe("a rotation", () => {
  it("is effective when the last restarted workload runs with the version", () => {
    const last = already("Deployment/web", { effectiveAt: at(60) });
    expect(rotationOf([effective, last, already("Deployment/young")], pending)).toEqual({
      ...{ versionId: "v2", state: "effective", movedAt: at(0), writtenAt: at(1.2), writtenAfterMs: 1_200 },
      ...{ effectiveAt: at(60), effectiveAfterMs: 60_000 },
    });
  });

  it("that no event told counts from the write", () => {
    const { movedAt: _movedAt, ...found } = pending;
    expect(rotationOf([effective], found)).toEqual({
      ...{ versionId: "v2", state: "effective", writtenAt: at(1.2) },
      ...{ effectiveAt: at(38), effectiveAfterMs: 36_800 },
    });
  });

  it("is unknown before the relay has noted a change", () => {
    expect(rotationOf([effective], { ...pending, impliedBy: "7" })).toBeUndefined();
  });

  it.each([
    { restarts: [effective], state: "effective", text: "38 s" },
    { restarts: [already("Deployment/api")], state: "unneeded", text: "no restart needed" },
    {
      restarts: [effective, rolling],
      state: "waiting",
      text: "waits for Deployment/web (2 of 3 pods)",
    },
    {
      restarts: [effective, tooSoon],
      state: "waiting",
      text: "waits for Deployment/web (RESTART_TOO_SOON)",
    },
    {
      restarts: [effective, missing],
      state: "refused",
      text: "refused: Deployment/web (WORKLOAD_MISSING)",
    },
    {
      restarts: [effective, stuck],
      state: "stuck",
      text: "stuck: Deployment/web (ProgressDeadlineExceeded, CrashLoopBackOff)",
    },
  ])("is $state: $text", ({ restarts, state, text }) => {
    const rotation = rotationOf(restarts, pending);
    expect(rotation?.state).toBe(state);
    expect(rotation && describeRotation({ rotation, restarts })).toBe(text);
  });
});
