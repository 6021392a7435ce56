import { describe, expect, it } from "vitest";
import type { LogCode, LogFields } from "../../shared/runtime/log.ts";
import type { MetricName } from "../../shared/runtime/metrics.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { measureProgress, reportSweep } from "../../shared/sweep/report-sweep.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";

const TARGET = { cluster: "main", namespace: "app", name: "db" };

const rowOf = (more: Partial<TargetRow> = {}): TargetRow => ({
  ...TARGET,
  source: "prod/db",
  finding: "STALE",
  action: "update",
  observed: "metadata",
  ...more,
});

const UNKNOWN = rowOf({
  finding: null,
  action: "unknown",
  code: "CLUSTER_UNAVAILABLE",
  advice: "Look at it.",
});

const reportOf = (more: Partial<SweepReport> = {}): SweepReport => ({
  version: 1,
  sweepId: "sweep-1",
  mode: "metadata",
  plan: false,
  startedAt: "2026-11-20T09:15:42.000Z",
  endedAt: "2026-11-20T09:15:44.500Z",
  bindings: 10,
  checked: 10,
  shardsQueued: 0,
  targets: [],
  orphansUnknown: [],
  calls: { aws: 3, kubernetes: 4, throttles: 1 },
  ...more,
});

const watch = () => {
  const logs: { code: LogCode; fields: LogFields }[] = [];
  const metrics: { name: MetricName; value: number; code?: string }[] = [];
  return {
    logs,
    log: (code: LogCode, fields: LogFields = {}) => void logs.push({ code, fields }),
    measure: (name: MetricName, value: number, code?: string) =>
      void metrics.push({ name, value, ...(code !== undefined && { code }) }),
    of: (name: MetricName) =>
      metrics
        .filter((metric) => metric.name === name)
        .map(({ value, code }) => (code ? `${value} ${code}` : value)),
  };
};

describe("a sweep's report", () => {
  it("without a finding counts zero drift, which differs from no sweep", () => {
    const { log, measure, logs, of } = watch();
    reportSweep(log, measure, reportOf());
    expect(of("TargetsDrifted")).toEqual([0]);
    expect(of("SweepBindingsChecked")).toEqual([10]);
    expect(of("SweepBindingsUnknown")).toEqual([0]);
    expect(of("OldestStaleness")).toEqual([0]);
    expect(of("Throttles")).toEqual([1]);
    expect(logs.map(({ code }) => code)).toEqual(["SWEEP_COMPLETED"]);
  });

  it("counts each finding under its code, and reports the oldest staleness", () => {
    const { log, measure, logs, of } = watch();
    const targets = [
      rowOf({ outcome: "written", staleMs: 5_000 }),
      rowOf({ outcome: "written", staleMs: 9_000 }),
      rowOf({ action: "none", finding: "ORPHAN" }),
    ];
    reportSweep(log, measure, reportOf({ targets }));
    expect(of("TargetsDrifted")).toEqual(["1 STALE", "1 STALE"]);
    expect(of("TargetsLeft")).toEqual(["1 ORPHAN"]);
    expect(of("TargetsRepaired")).toEqual([1, 1]);
    expect(of("OldestStaleness")).toEqual([9_000]);
    expect(logs.map(({ code }) => code)).toEqual([...Array(3).fill("DRIFT_FOUND"), "SWEEP_COMPLETED"]);
    expect(logs[0]?.fields).toMatchObject({ finding: "STALE", target: "main/app/db", action: "written" });
  });

  it("with only findings that stay on purpose counts zero drift", () => {
    const { log, measure, of } = watch();
    reportSweep(log, measure, reportOf({ targets: [rowOf({ action: "none", finding: "ORPHAN" })] }));
    expect([of("TargetsDrifted"), of("TargetsLeft")]).toEqual([[0], ["1 ORPHAN"]]);
  });

  it("names fields, their managers and the remedy", () => {
    const { log, measure, logs } = watch();
    const fields = [
      { field: "data.password", what: "changed", manager: "kubectl", at: "2026-11-20T09:00:00.000Z" },
      { field: "data.user", what: "removed" },
    ] as const;
    const refused = { action: "refuse", code: "FIELD_OWNED_BY_ANOTHER", advice: "Set adopt: true." } as const;
    reportSweep(log, measure, reportOf({ targets: [rowOf({ ...refused, finding: "TAMPERED", fields })] }));
    expect(logs[0]?.fields).toMatchObject({
      finding: "TAMPERED",
      action: "refuse",
      code: "FIELD_OWNED_BY_ANOTHER",
      advice: "Set adopt: true.",
      fields: ["data.password changed by kubectl at 2026-11-20T09:00:00.000Z", "data.user removed"],
    });
  });

  it.each([
    { row: { action: "delete", outcome: "deleted" }, metric: "TargetsDeleted", counts: [1] },
    { row: { action: "delete", outcome: "held-back" }, metric: "DeletionsHeldBack", counts: [1] },
    { row: { action: "refuse", code: "X", advice: "" }, metric: "TargetsRefused", counts: ["1 X"] },
    { row: { outcome: "refused", code: "X", advice: "" }, metric: "TargetsRefused", counts: ["1 X"] },
    { row: { outcome: "failed", code: "Y", advice: "" }, metric: "TargetsFailed", counts: ["1 Y"] },
    { row: { action: "refuse", code: "HELD" }, metric: "TargetsRefused", counts: ["1 HELD"] },
  ] as const)("counts what is $row.action, $row.outcome $row.code", ({ row, metric, counts }) => {
    const { log, measure, of } = watch();
    reportSweep(log, measure, reportOf({ targets: [rowOf(row)] }));
    expect(of(metric)).toEqual(counts);
  });

  it("with a held Secret counts drift only if its source has changed", () => {
    const { log, measure, of } = watch();
    const held = { action: "refuse", code: "HELD", until: "2026-11-20T10:00:00.000Z" } as const;
    reportSweep(log, measure, reportOf({ targets: [rowOf({ ...held, finding: "TAMPERED" })] }));
    expect([of("TargetsDrifted"), of("TargetsLeft"), of("TargetsRefused")]).toEqual([
      [0],
      ["1 TAMPERED"],
      [],
    ]);
  });

  it("names each target that is unknown, and counts them", () => {
    const { log, measure, logs, of } = watch();
    reportSweep(log, measure, reportOf({ checked: 9, targets: [UNKNOWN] }));
    expect(of("SweepBindingsUnknown")).toEqual([1]);
    expect(logs[0]).toMatchObject({ code: "TARGET_UNKNOWN", fields: { code: "CLUSTER_UNAVAILABLE" } });
  });
});

describe("the progress of a sweep", () => {
  const split = reportOf({ bindings: 0, checked: 0, shardsQueued: 5 });
  const handedOver = reportOf({ shardsQueued: 2 });
  const cases = [
    { it: "done at once is one shard", report: reportOf(), isShard: false, planned: [1], completed: [1] },
    { it: "that was split plans its shards", report: split, isShard: false, planned: [5], completed: [] },
    { it: "of a shard completes one", report: reportOf(), isShard: true, planned: [], completed: [1] },
    {
      it: "of a shard that hands over plans the rest",
      report: handedOver,
      isShard: true,
      planned: [2],
      completed: [1],
    },
    { it: "that hands over plans both", report: handedOver, isShard: false, planned: [3], completed: [1] },
    {
      it: "with unknown targets is not complete",
      report: reportOf({ checked: 9, targets: [UNKNOWN] }),
      isShard: false,
      planned: [1],
      completed: [0],
    },
  ];
  it.each(cases)("$it", ({ report, isShard, planned, completed }) => {
    const { measure, of } = watch();
    measureProgress(measure, report, isShard);
    expect(of("SweepShardsPlanned")).toEqual(planned);
    expect(of("SweepShardsCompleted")).toEqual(completed);
  });
});
