import { describe, expect, it } from "vitest";
import {
  type EventReport,
  InputRefused,
  SyncIncomplete,
  settle,
  settleBatch,
} from "../../functions/rotation/settle.ts";
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
    { it: "when nothing was to be done", reports: [noted], want: { targets: [], rejected: [] } },
    { it: "when no binding uses the source", reports: [synced()], want: { targets: [], rejected: [] } },
    {
      it: "when every target was written, and says which version each holds, and which keys changed",
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
      it: "when a target was refused: no retry would help, and the answer says what would",
      reports: [synced(refused())],
      want: {
        targets: [
          { target: "main/app/db", outcome: "refused", code: "TARGET_IMMUTABLE", advice: "Delete it." },
        ],
        rejected: [],
      },
    },
    {
      it: "when an event was rejected that nobody waits for, and says why",
      reports: [rejected(false), noted],
      want: { targets: [], rejected: [{ code: "ROTATION_FUNCTION_INPUT", advice: "Not here." }] },
    },
  ])("$it", ({ reports, want }) => {
    expect(settle(reports)).toEqual(want);
  });
});

describe("an invocation fails", () => {
  it("when any target may be written by a later try, and names each reason once", () => {
    const reports = [synced(written(), failed("CLUSTER_THROTTLED")), synced(failed(), failed(), refused())];
    const error = errorOf(() => settle(reports));
    expect(error).toBeInstanceOf(SyncIncomplete);
    expect(error).toMatchObject({
      code: "SYNC_INCOMPLETE",
      retryable: true,
      message: "3 of 5 target(s) could not be written now: CLUSTER_THROTTLED, CLUSTER_UNAVAILABLE.",
    });
  });

  it("when its sender would take success for something that did not happen", () => {
    const error = errorOf(() => settle([synced(written()), rejected(true)]));
    expect(error).toBeInstanceOf(InputRefused);
    expect(error).toMatchObject({
      code: "ROTATION_FUNCTION_INPUT",
      message: "ROTATION_FUNCTION_INPUT: Not here.",
    });
  });
});

describe("a batch", () => {
  it("gives back exactly the messages that may work if tried again", () => {
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

  it("gives back nothing when all is done", () => {
    expect(settleBatch([{ messageId: "written", reports: [synced(written())] }])).toEqual({
      batchItemFailures: [],
    });
  });
});
