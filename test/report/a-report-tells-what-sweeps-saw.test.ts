import { describe, expect, it } from "vitest";
import { fleetReport } from "../../cli/report/model.ts";
import { joinShards, parseSweeps } from "../../cli/report/read-sweeps.ts";
import type { Action } from "../../shared/sweep/finding.ts";
import { finding, MADE_AT, sweepReport, target } from "./factories.ts";

const fleetOf = (...sweeps: Parameters<typeof sweepReport>[0][]) =>
  fleetReport({ sweeps: sweeps.map(sweepReport), madeAt: MADE_AT, release: "0.1.0" });

describe("the states", () => {
  it.each<[Action, string]>([
    [{ kind: "repaired" }, "repaired"],
    [{ kind: "already-right" }, "repaired"],
    [{ kind: "deleted" }, "repaired"],
    [{ kind: "failed", code: "CLUSTER_THROTTLED", advice: "Wait." }, "drifted"],
    [{ kind: "planned", would: "repair" }, "drifted"],
    [{ kind: "planned", would: "nothing" }, "left"],
    [{ kind: "left" }, "left"],
    [{ kind: "held-back" }, "refused"],
    [{ kind: "refused", code: "TARGET_IMMUTABLE", advice: "Make it anew." }, "refused"],
  ])("of a finding that was %j: %s", (action, state) => {
    const fleet = fleetOf({ bindings: 3, checked: 3, findings: [finding("db", { action })] });

    expect(fleet.rows.map((row) => row.state)).toEqual([state]);
    expect(fleet.counts).toMatchObject({ [state]: 1, fresh: 2 });
  });

  it("count every binding once, and an orphan is none", () => {
    const fleet = fleetOf({
      bindings: 10,
      checked: 9,
      findings: [finding("a"), finding("b", { code: "ORPHAN", action: { kind: "left" } })],
      unchecked: [{ target: target("c"), source: "prod/c", code: "SOURCE_FORBIDDEN", advice: "Allow it." }],
    });

    expect(fleet.counts).toEqual({ refused: 0, drifted: 0, unchecked: 1, left: 1, repaired: 1, fresh: 8 });
  });

  it("come with what needs somebody first, the stalest first of those", () => {
    const refused = { kind: "refused", code: "X", advice: "Y" } as const;
    const fleet = fleetOf({
      bindings: 4,
      checked: 4,
      findings: [
        finding("repaired"),
        finding("young", { action: refused, details: { staleMs: 1_000 } }),
        finding("old", { action: refused, details: { staleMs: 90_000 } }),
      ],
      inventory: [{ target: target("fine"), source: "prod/fine" }],
    });

    expect(fleet.rows.map(({ name }) => name)).toEqual(["old", "young", "repaired", "fine"]);
    expect(fleet.unnamed).toBe(0);
    expect(fleet.rows[0]?.why).toContain("For at least 1 min 30 s");
    expect(fleet.reasons[0]).toMatchObject({ code: "STALE", count: 2, oldestStaleMs: 90_000, advice: "Y" });
  });

  it("are those of the newest sweep, in whatever order the files come", () => {
    const fleet = fleetOf(
      { startedAt: "2026-11-24T06:05:00.000Z", bindings: 1, checked: 1 },
      { startedAt: "2026-11-24T06:00:00.000Z", bindings: 1, checked: 1, findings: [finding("db")] },
    );

    expect(fleet.counts.fresh).toBe(1);
    expect(fleet.sweeps.map(({ counts }) => counts.repaired)).toEqual([1, 0]);
  });
});

describe("sweeps of one cluster each, or of several stacks", () => {
  const of = (cluster: string, minute: number, names: readonly string[]) => ({
    sweepId: `${cluster}-${minute}`,
    startedAt: `2026-11-24T06:0${minute}:00.000Z`,
    bindings: names.length + 1,
    checked: names.length + 1,
    findings: [finding("db", { target: target("db", cluster), details: { staleMs: minute * 1_000 } })],
    inventory: names.map((name) => ({ target: target(name, cluster), source: `prod/${name}` })),
  });

  it("make one page, each cluster as it was seen last", () => {
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

  it("are told by the newest alone where it has no inventory: it may have been about every cluster", () => {
    const { inventory, ...newest } = of("west", 3, ["a"]);

    expect(fleetOf(of("east", 2, ["a"]), newest).bindings).toBe(2);
  });
});

describe("the latency of what arrived between two inventories", () => {
  const at = (startedAt: string, versionId: string, writtenAt: string) => ({
    startedAt,
    bindings: 1,
    checked: 1,
    inventory: [
      {
        target: target("db"),
        source: "prod/db",
        versionId,
        writtenAt,
        sourceChangedAt: "2026-11-24T06:01:00.000Z",
      },
    ],
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

  it("is not told of a Secret that was written again with the same version", () => {
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
    ["one a line", `${JSON.stringify(report)}\n${JSON.stringify(report)}\n`, 2],
    ["what a command printed", JSON.stringify({ ok: true, report }), 1],
  ])("may hold %s", (_, text, count) => {
    expect(parseSweeps(text, "report.json")).toHaveLength(count);
  });

  it.each([
    ["no JSON", "hunter2", /report\.json is no JSON\.$/],
    ["no report", '{"ok":true}', /holds no report/],
    ["another version", JSON.stringify({ ...report, version: 2 }), /another version/],
    ["a field too many", JSON.stringify({ ...report, password: "hunter2" }), /is no report of a sweep/],
  ])("that holds %s is told, and nothing of it is quoted", (_, text, message) => {
    expect(() => parseSweeps(text, "report.json")).toThrow(message);
    try {
      parseSweeps(text, "report.json");
    } catch (error) {
      expect(String(error)).not.toContain("hunter2");
    }
  });

  it("with the shards of a sweep makes one sweep of them, and knows how many are missing", () => {
    const start = sweepReport({ shardsQueued: 3 });
    const shards = ["a", "b"].map((name) =>
      sweepReport({ bindings: 500, checked: 500, findings: [finding(name)] }),
    );

    const [sweep, ...others] = joinShards([start, ...shards]);

    expect(others).toEqual([]);
    expect(sweep).toMatchObject({ bindings: 1_000, checked: 1_000, shardsQueued: 1 });
    expect(sweep?.findings).toHaveLength(2);
  });
});
