import { beforeAll, describe, expect, it } from "vitest";
import { type Counts, countOf } from "../../chaos/counts.ts";
import { type ChaosRun, runChaos } from "./run-chaos.ts";

// Two seeds of 20 virtual minutes in one process, then the second of them alone in another. About 40 s.

const SIZE = ["--minutes", "20", "--rotations", "150", "--bindings", "120"];
let both: ChaosRun;

beforeAll(async () => {
  both = await runChaos([...SIZE, "--seed", "11", "--seeds", "2"]);
});

/** All that a run must do: a fault that never happens proves nothing. */
const DONE = [
  ...["rotations", "rollbacks", "sourcesDeleted", "applies", "fenceConflicts", "deletions", "scannedBytes"],
  ...["events.lost", "events.twice", "events.late", "events.reordered"],
  ...["kills.rotation", "kills.reconcile"],
  ...["clocks.skewedInvocations", "clocks.largestSkewMs"],
  ...["staleReads"],
  ...["apiServers.killed", "apiServers.requestsCutBeforeServed", "apiServers.requestsCutAfterServed"],
  ...["apiServers.connectionsRefused", "apiServers.outages", "apiServers.requestsInOutage", "awsBrownouts"],
  ...["credentials.endedInUse", "credentials.callsRefused", "credentials.tokensRefused"],
  ...["credentials.issued", "credentials.renewals"],
  ...["tampering.edited", "tampering.emptied", "tampering.unlabelled", "tampering.deleted"],
  ...["tampering.replaced", "tampering.coOwned", "holds.valid", "holds.malformed", "holds.tooLong"],
  ...["sourcesRecreated.withValue", "sourcesRecreated.withoutValue", "ofSecondRelay", "shared"],
  ...["refusals.HELD", "findings.FOREIGN_KEYS", "findings.SOURCE_WITHOUT_VALUE"],
  ...["tampering.extended", "sweeps.by metadata", "sweeps.by values", "sweeps.of a shard"],
  ...[
    "findings.MISSING",
    "findings.STALE",
    "findings.TAMPERED",
    "findings.SOURCE_MISSING",
    "findings.NOT_OURS",
  ],
  ...["redriven.rotation", "shards.sent", "bystanders"],
  ...["publications.published", "publications.rolledBack", "publications.lostToAnother"],
  ...["publications.killed", "publications.failed"],
  ...["changing.generations", "changing.written", "changing.deletions", "changing.unknownRules"],
  ...["changing.goneOnWithoutS3", "changing.events.lost", "changing.events.twice"],
  ...["store.silences", "store.requestsInSilence", "store.largestWaitMs"],
  ...["changing.goneOnInSilence", "changing.writtenInSilence", "changing.unboundInEmptyBucket"],
  ...["stacks.madeAgain", "stacks.overAnEmptyBucket", "stacks.eventsGone"],
  ...["bindings.AWSCURRENT", "bindings.AWSPREVIOUS", "bindings.pinned"],
  ...["bindings.AWSCURRENT and AWSCURRENT", "bindings.AWSCURRENT and AWSPREVIOUS"],
  ...["rollouts.started", "rollouts.finished", "rollouts.superseded", "rollouts.deletedMeanwhile"],
  ...["rollouts.reportedStuck", "rollouts.effective", "rollouts.foundBy.followUp", "rollouts.foundBy.sweep"],
  ...["rollouts.troubles.slow", "rollouts.troubles.observedLate", "rollouts.troubles.stuck"],
  ...["rollouts.troubles.released", "rollouts.troubles.paused", "rollouts.troubles.resumed"],
  ...["rollouts.troubles.deleted", "rollouts.troubles.recreated"],
  ...["followUps.sent", "followUps.lost", "followUps.twice", "followUps.late", "followUps.reordered"],
  ...["followUps.killed"],
];

const FAILURES = {
  aws: ["ExpiredTokenException", "InternalServiceError", "ThrottlingException", "an item of a batch"],
  cluster: ["401", "429", "500", "503", "504", "wrong content"],
  s3: ["ExpiredToken", "InternalError", "RequestTimeout", "SlowDown", "wrong content"],
  credentials: ["500"],
};

describe("a chaos run", () => {
  it("breaks no promise", () => {
    expect(both.summary.runs.flatMap(({ violations }) => violations)).toEqual([]);
    expect(both.code).toBe(0);
  });

  it("has done every kind of action", () => {
    const { total } = both.summary;
    const never = DONE.filter((path) => !(countOf(total, path) > 0));
    expect(never).toEqual([]);
    expect(countOf(total, "rotations")).toBeGreaterThan(200);
  });

  it("has failed a fifth of all exchanges, in every way", () => {
    const { exchanges } = both.summary.total as { exchanges: { served: number; failed: Counts } };
    const { served, failed } = exchanges;
    const share = countOf(exchanges, "failed") / (served + countOf(exchanges, "failed"));
    expect(share).toBeGreaterThan(0.15);
    for (const [host, kinds] of Object.entries(FAILURES)) {
      const broken = ["connection broken before it was served"];
      if (host !== "credentials") broken.push("connection broken after it was served");
      for (const kind of [...kinds, ...broken]) expect(Object.keys(failed)).toContain(`${host}: ${kind}`);
    }
  });

  it("has killed functions between many different steps", () => {
    const { kills } = both.summary.total as { kills: { rotation: Counts; reconcile: Counts } };
    expect(Object.keys(kills.rotation).length).toBeGreaterThan(8);
  });

  it("runs the same way for the same seed, after any other run", async () => {
    const again = await runChaos([...SIZE, "--seed", "12"]);

    expect(again.summary.runs[0]).toEqual(both.summary.runs[1]);
    expect(both.summary.runs[0]?.digest).not.toBe(both.summary.runs[1]?.digest);
  });

  it("exits with 2, not 1, for a wrong command line", async () => {
    await expect(runChaos(["--seeds", "none"])).rejects.toThrow("chaos ended with 2");
    await expect(runChaos(["--mutation", "a-tree"])).rejects.toThrow("chaos ended with 2");
  });
});
