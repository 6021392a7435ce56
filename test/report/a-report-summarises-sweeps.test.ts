import { describe, expect, it } from "vitest";
import { fleetReport } from "../../cli/report/model.ts";
import { renderPage } from "../../cli/report/page.ts";
import { joinShards, parseSweeps } from "../../cli/report/read-sweeps.ts";
import { STATES } from "../../cli/report/states.ts";
import { FINDINGS } from "../../shared/assess/catalogue.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { finding, inOrder, MADE_AT, REFUSED, type RowParts, sweepReport, target } from "./factories.ts";

const refuse = (finding: TargetRow["finding"], code: string): RowParts => ({
  finding,
  action: "refuse",
  code,
  advice: `What to do about ${code}.`,
  outcome: undefined,
});

const fleetOf = (...sweeps: Parameters<typeof sweepReport>[0][]) =>
  fleetReport({ sweeps: sweeps.map(sweepReport), madeAt: MADE_AT, release: "0.1.0" });

describe("the states", () => {
  const nothingDone = { outcome: undefined };
  it.each<[string, RowParts, string]>([
    ["written", {}, "repaired"],
    ["in order by then", { outcome: "unchanged" }, "repaired"],
    ["deleted", { action: "delete", outcome: "deleted" }, "repaired"],
    ["not written yet", { outcome: "failed", code: "CLUSTER_THROTTLED", advice: "Wait." }, "drifted"],
    ["planned", nothingDone, "drifted"],
    ["only reported", { ...nothingDone, finding: "FOREIGN_KEYS", action: "none" }, "left"],
    ["waiting for its deletion", { ...nothingDone, finding: "SOURCE_MISSING", action: "none" }, "left"],
    ["left because its source is gone", refuse("SOURCE_MISSING", "SOURCE_MISSING"), "left"],
    ["not deleted, as one of too many", { action: "delete", outcome: "held-back" }, "refused"],
    [
      "not deleted, with a local file",
      { action: "delete", outcome: "held-back", code: "LOCAL_BINDINGS", advice: "Deploy." },
      "left",
    ],
    ["refused when it was to be written", REFUSED, "refused"],
    ["refused at once", refuse("IMMUTABLE", "TARGET_IMMUTABLE"), "refused"],
    ["contested", refuse("TAMPERED", "CONTESTED"), "refused"],
    ["in a cluster that is listed twice", refuse(null, "CLUSTER_LISTED_TWICE"), "refused"],
    ["held", refuse("TAMPERED", "HELD"), "left"],
    ["held with nothing wrong", refuse(null, "HELD"), "left"],
    ["held with an old version", refuse("STALE", "HELD"), "refused"],
    ["not observed", { ...refuse(null, "CLUSTER_UNAVAILABLE"), action: "unknown" }, "unknown"],
  ])("of a Secret that was %s", (_, parts, state) => {
    const fleet = fleetOf({ bindings: 3, checked: 3, targets: [finding("db", parts)] });

    expect(fleet.rows.map((row) => row.state)).toEqual([state]);
    expect(fleet.counts).toMatchObject({ [state]: 1, fresh: 2 });
  });

  it("count every binding once, and an orphan has none", () => {
    const fleet = fleetOf({
      bindings: 10,
      checked: 9,
      targets: [
        finding("a"),
        finding("b", { finding: "ORPHAN", action: "none", outcome: undefined }),
        finding("c", { ...refuse(null, "SOURCE_FORBIDDEN"), action: "unknown" }),
        inOrder("d", { certificateExpiresInDays: 12 }),
      ],
    });

    expect(fleet.counts).toEqual({ refused: 0, drifted: 0, unknown: 1, left: 1, repaired: 1, fresh: 8 });
    expect(fleet.unnamed).toBe(7);
  });

  it("are sorted by urgency, then by staleness", () => {
    const fleet = fleetOf({
      bindings: 4,
      checked: 4,
      targets: [
        finding("repaired"),
        finding("young", { ...REFUSED, staleMs: 1_000 }),
        finding("old", { ...REFUSED, staleMs: 90_000 }),
        inOrder("fine"),
      ],
    });

    expect(fleet.rows.map(({ name }) => name)).toEqual(["old", "young", "repaired", "fine"]);
    expect(fleet.unnamed).toBe(0);
    expect(fleet.rows[0]?.why).toBe("TARGET_IMMUTABLE. For at least 1 min 30 s.");
    expect(fleet.reasons[0]).toMatchObject({
      code: "STALE",
      meaning: FINDINGS.STALE.meaning,
      count: 2,
      oldestStaleMs: 90_000,
      advice: REFUSED.advice,
    });
  });

  it("are grouped by cause, with the first Secrets of each and the command for each", () => {
    const names = ["a", "b", "c", "d"];
    const fleet = fleetOf({
      plan: true,
      bindings: 4,
      checked: 4,
      targets: names.map((name) => finding(name, { outcome: undefined })),
    });

    expect(fleet.reasons).toHaveLength(1);
    expect(fleet.reasons[0]?.count).toBe(4);
    expect(fleet.reasons[0]?.examples).toEqual(
      ["a", "b", "c"].map((name) => ({ ...target(name), command: `secret-relay sync shop/${name}` })),
    );
  });

  it("name the installation that they are about, each once", () => {
    const where = { account: "111122223333", region: "eu-west-1", stack: "secret-relay", relay: "blue" };
    const about = (cluster: string, startedAt: string) => ({
      ...{ where, startedAt, bindings: 1, checked: 1 },
      targets: [inOrder("db", { cluster })],
    });
    const fleet = fleetOf(about("one", "2026-11-24T06:00:00.000Z"), about("two", "2026-11-24T06:05:00.000Z"));

    expect(fleet.places).toEqual([where]);
    const page = renderPage(fleet).replace(/<\/?(dt|dd|div)>/g, " ");
    expect(page).toMatch(/Account +111122223333 +Region +eu-west-1 +Stack +secret-relay +Relay +blue/);
    expect(fleetOf({ bindings: 1, checked: 1 }).places).toEqual([]);
  });

  it("are from the newest sweep, in any order of the files", () => {
    const fleet = fleetOf(
      { startedAt: "2026-11-24T06:05:00.000Z", bindings: 1, checked: 1 },
      { startedAt: "2026-11-24T06:00:00.000Z", bindings: 1, checked: 1, targets: [finding("db")] },
    );

    expect(fleet.counts.fresh).toBe(1);
    expect(fleet.sweeps.map(({ counts }) => counts.repaired)).toEqual([1, 0]);
  });
});

describe("a row", () => {
  const rowOf = (parts: RowParts) => fleetOf({ bindings: 1, targets: [finding("db", parts)] }).rows[0];

  it("of a held Secret has the end of the hold", () => {
    expect(rowOf({ ...refuse("TAMPERED", "HELD"), until: "2026-11-24T08:00:00.000Z" })).toMatchObject({
      meaning: FINDINGS.TAMPERED.meaning,
      why: "HELD. Held until 24 Nov 2026, 08:00:00 UTC.",
      advice: "What to do about HELD.",
    });
  });

  it("of a Secret that waits for its deletion has the time of deletion", () => {
    expect(
      rowOf({
        finding: "ORPHAN",
        action: "none",
        outcome: undefined,
        deleteAfter: "2026-11-25T06:00:00.000Z",
      }),
    ).toMatchObject({ why: "A sweep deletes it after 25 Nov 2026, 06:00:00 UTC." });
  });

  it("names the managers that contest a Secret, and the managers of foreign keys", () => {
    const fields = [
      { field: "data.password", what: "changed", manager: "kubectl-edit", at: "2026-11-24T05:00:00.000Z" },
    ] as const;
    const foreignKeys = [{ key: "debug", manager: "helm" }, { key: "old" }];

    expect(rowOf({ ...refuse("TAMPERED", "CONTESTED"), fields })?.why).toBe(
      "CONTESTED. data.password changed by kubectl-edit at 2026-11-24T05:00:00.000Z.",
    );
    expect(rowOf({ finding: "FOREIGN_KEYS", action: "none", outcome: undefined, foreignKeys })?.why).toBe(
      "Foreign keys: debug (helm), old.",
    );
  });

  it("has the remedy and command of the catalogue, and no command once it is repaired", () => {
    expect(rowOf({ outcome: undefined })).toMatchObject({
      advice: FINDINGS.STALE.remedy,
      command: "secret-relay sync shop/db",
    });
    expect(rowOf({})).not.toHaveProperty("command");
    expect(rowOf(refuse("STALE", "HELD"))).not.toHaveProperty("command");
  });

  it("that is unknown has no other state", () => {
    expect(STATES.unknown.name).toBe("Unknown");
    expect(rowOf({ ...refuse(null, "CLUSTER_UNAVAILABLE"), action: "unknown" })).toMatchObject({
      code: "CLUSTER_UNAVAILABLE",
      meaning: STATES.unknown.meaning,
    });
  });
});

describe("sweeps of one cluster each, or of several stacks", () => {
  const of = (cluster: string, minute: number, names: readonly string[]) => ({
    sweepId: `${cluster}-${minute}`,
    startedAt: `2026-11-24T06:0${minute}:00.000Z`,
    bindings: names.length + 1,
    checked: names.length + 1,
    targets: [
      finding("db", { cluster, staleMs: minute * 1_000 }),
      ...names.map((name) => inOrder(name, { cluster })),
    ],
  });

  it("make one page, with the latest state of each cluster", () => {
    const fleet = fleetOf(of("west", 1, ["a", "b"]), of("east", 2, ["a"]), of("west", 3, ["a"]));

    expect(fleet.bindings).toBe(4);
    expect(fleet.counts).toMatchObject({ repaired: 2, fresh: 2 });
    expect(fleet.rows.map(({ cluster, name }) => `${cluster}/${name}`)).toEqual([
      "west/db",
      "east/db",
      "east/a",
      "west/a",
    ]);
    expect(fleet.latest).toMatchObject({ at: Date.parse("2026-11-24T06:03:00.000Z"), oldestStaleMs: 3_000 });
    expect(fleet.unnamed).toBe(0);
  });

  it("come from the newest sweep only, if it does not name every binding", () => {
    const newest = { ...of("west", 3, ["a"]), targets: [finding("db")] };

    expect(fleetOf(of("east", 2, ["a"]), newest).bindings).toBe(2);
  });
});

describe("the latency between two inventories", () => {
  const at = (startedAt: string, versionId: string, writtenAt: string) => ({
    startedAt,
    bindings: 1,
    checked: 1,
    targets: [inOrder("db", { versionId, writtenAt, sourceChangedAt: "2026-11-24T06:01:00.000Z" })],
  });

  it("is the time from the source's change to the write", () => {
    const { latency } = fleetOf(
      at("2026-11-24T06:00:00.000Z", "one", "2026-11-24T05:00:00.000Z"),
      at("2026-11-24T06:05:00.000Z", "two", "2026-11-24T06:01:00.850Z"),
    );

    expect(latency).toEqual([
      { at: Date.parse("2026-11-24T06:05:00.000Z"), p50: 850, p99: 850, slowest: 850 },
    ]);
  });

  it("ignores a Secret that was written again with the same version", () => {
    const { latency } = fleetOf(
      at("2026-11-24T06:00:00.000Z", "one", "2026-11-24T06:01:00.850Z"),
      at("2026-11-24T06:05:00.000Z", "one", "2026-11-24T06:04:00.000Z"),
    );

    expect(latency).toEqual([]);
  });
});

describe("a file", () => {
  const report = sweepReport({ bindings: 1, checked: 1 });

  it.each([
    ["one report", JSON.stringify(report, null, 2), 1],
    ["a list", JSON.stringify([report, report]), 2],
    ["one per line", `${JSON.stringify(report)}\n${JSON.stringify(report)}\n`, 2],
    ["the output of a command", JSON.stringify({ ok: true, report }), 1],
  ])("can contain %s", (_, text, count) => {
    expect(parseSweeps(text, "report.json")).toHaveLength(count);
  });

  it.each([
    ["no JSON", "hunter2", /report\.json is not JSON\.$/],
    ["no report", '{"ok":true}', /holds no report/],
    ["another version", JSON.stringify({ ...report, version: 2 }), /cannot read this version/],
    [
      "a field too many",
      JSON.stringify({ ...report, password: "hunter2" }),
      /is not a valid report of a sweep/,
    ],
  ])("that contains %s is refused, and its content is not quoted", (_, text, message) => {
    expect(() => parseSweeps(text, "report.json")).toThrow(message);
    try {
      parseSweeps(text, "report.json");
    } catch (error) {
      expect(String(error)).not.toContain("hunter2");
    }
  });

  it("with the shards of a sweep is merged into one sweep, with the number of missing shards", () => {
    const start = sweepReport({ shardsQueued: 3 });
    const shards = ["a", "b"].map((name) =>
      sweepReport({ bindings: 500, checked: 500, targets: [finding(name)] }),
    );

    const [sweep, ...others] = joinShards([start, ...shards]);

    expect(others).toEqual([]);
    expect(sweep).toMatchObject({ bindings: 1_000, checked: 1_000, shardsQueued: 1 });
    expect(sweep?.targets).toHaveLength(2);
  });
});
