import { describe, expect, it } from "vitest";
import {
  type EventReport,
  InputRefused,
  SyncIncomplete,
  settle,
  settleBatch,
} from "../../functions/rotation/settle.ts";
import { RulesUnknown } from "../../shared/bindings/published/errors.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";

const target = (name: string) => ({ cluster: "main", namespace: "app", name });
const versionId = "version-1" as VersionId;

const written = (name = "db"): SyncOutcome => ({
  kind: "written",
  target: target(name),
  versionId,
  isNew: false,
  changes: [
    { field: "data.password", what: "changed" },
    { field: "metadata.annotations.secret-relay/version-id", what: "changed" },
  ],
  fenceConflicts: 0,
});
const unchanged = (name = "db"): SyncOutcome => ({
  kind: "unchanged",
  target: target(name),
  versionId,
  fenceConflicts: 0,
});
const refused = (code = "TARGET_IMMUTABLE"): SyncOutcome => ({
  kind: "refused",
  target: target("db"),
  code,
  advice: "Delete it.",
});
const failed = (code = "CLUSTER_UNAVAILABLE"): SyncOutcome => ({
  kind: "failed",
  target: target("db"),
  code,
  advice: "Later.",
});

const synced = (...outcomes: SyncOutcome[]): EventReport => ({ kind: "synced", outcomes });
const unknown: EventReport = { kind: "unknown", error: new RulesUnknown() };
const noted: EventReport = { kind: "noted" };
const rejected = (mustFail: boolean): EventReport => ({
  kind: "rejected",
  code: "ROTATION_FUNCTION_INPUT",
  advice: "Not here.",
  mustFail,
});

const errorOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe("an invocation succeeds", () => {
  it.each<{ it: string; reports: EventReport[]; want: object }>([
    { it: "when there was nothing to do", reports: [noted], want: { targets: [], rejected: [] } },
    { it: "when no binding uses the source", reports: [synced()], want: { targets: [], rejected: [] } },
    {
      it: "when every target was written, and reports the version and the changed keys of each",
      reports: [synced(written("a"), unchanged("b"))],
      want: {
        targets: [
          {
            target: "main/app/a",
            outcome: "written",
            versionId,
            changes: [{ key: "password", what: "changed" }],
          },
          { target: "main/app/b", outcome: "unchanged", versionId },
        ],
        rejected: [],
      },
    },
    {
      it: "when a target was refused, with advice, because a retry would not help",
      reports: [synced(refused())],
      want: {
        targets: [
          { target: "main/app/db", outcome: "refused", code: "TARGET_IMMUTABLE", advice: "Delete it." },
        ],
        rejected: [],
      },
    },
    {
      it: "when an event without a waiting caller was rejected, with the reason",
      reports: [rejected(false), noted],
      want: { targets: [], rejected: [{ code: "ROTATION_FUNCTION_INPUT", advice: "Not here." }] },
    },
  ])("$it", ({ reports, want }) => {
    expect(settle(reports)).toEqual(want);
  });
});

describe("an invocation fails", () => {
  it("when a retry can write any target, and names each reason once", () => {
    const reports = [synced(written(), failed("CLUSTER_THROTTLED")), synced(failed(), failed(), refused())];
    const error = errorOf(() => settle(reports));
    expect(error).toBeInstanceOf(SyncIncomplete);
    expect(error).toMatchObject({
      code: "SYNC_INCOMPLETE",
      retryable: true,
      message: "3 of 5 target(s) could not be written now: CLUSTER_THROTTLED, CLUSTER_UNAVAILABLE.",
    });
  });

  it("when the caller would wrongly assume success", () => {
    const error = errorOf(() => settle([synced(written()), rejected(true)]));
    expect(error).toBeInstanceOf(InputRefused);
    expect(error).toMatchObject({
      code: "ROTATION_FUNCTION_INPUT",
      message: "ROTATION_FUNCTION_INPUT: Not here.",
    });
  });
});

describe("a batch", () => {
  it("returns exactly the messages that a retry can deliver", () => {
    const response = settleBatch([
      { messageId: "written", reports: [synced(written())] },
      { messageId: "failed", reports: [synced(written(), failed())] },
      { messageId: "refused", reports: [synced(refused())] },
      { messageId: "ignored", reports: [noted] },
      { messageId: "rejected", reports: [rejected(false)] },
      { messageId: "must-fail", reports: [noted, rejected(true)] },
      { messageId: "empty", reports: [] },
    ]);
    expect(response).toEqual({
      batchItemFailures: [{ itemIdentifier: "failed" }, { itemIdentifier: "must-fail" }],
    });
  });

  it("returns nothing if every message is done", () => {
    expect(settleBatch([{ messageId: "written", reports: [synced(written())] }])).toEqual({
      batchItemFailures: [],
    });
  });
});

describe("an event whose bindings are unknown", () => {
  it("fails the invocation with the reason, and its message alone in a batch", () => {
    expect(errorOf(() => settle([synced(written()), unknown]))).toMatchObject({
      code: "RULES_UNKNOWN",
      retryable: true,
    });
    const items = [
      { messageId: "bound", reports: [synced(written())] },
      { messageId: "unknown", reports: [unknown] },
    ];
    expect(settleBatch(items)).toEqual({ batchItemFailures: [{ itemIdentifier: "unknown" }] });
  });

  it("is counted in the error if a target failed too", () => {
    expect(errorOf(() => settle([synced(failed()), unknown]))).toMatchObject({
      code: "SYNC_INCOMPLETE",
      message:
        "1 of 1 target(s) could not be written now, and the bindings of 1 event(s) are unknown: CLUSTER_UNAVAILABLE, RULES_UNKNOWN.",
    });
  });
});
