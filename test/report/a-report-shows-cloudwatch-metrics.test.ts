import { Logger } from "@aws-lambda-powertools/logger";
import { describe, expect, it } from "vitest";
import { type LogLine, lastSweepOf } from "../../cli/cloudwatch/last-sweep.ts";
import { type GetMetricData, readMeasured } from "../../cli/cloudwatch/read-measured.ts";
import { fleetReport } from "../../cli/report/model.ts";
import { renderPage } from "../../cli/report/page.ts";
import { joinShards } from "../../cli/report/read-sweeps.ts";
import { type LogCode, type LogFields, logThrough } from "../../shared/runtime/log.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import { reportSweep } from "../../shared/sweep/report-sweep.ts";
import { finding, MADE_AT, inOrder as row, sweepReport } from "./factories.ts";

const HOUR_MS = 3_600_000;
const FROM = MADE_AT - 24 * HOUR_MS;

/** Answers as CloudWatch does, in as many pages as there are series. */
function metricsOf(series: Record<string, readonly (readonly [at: number, value: number])[]>): GetMetricData {
  return async ({ MetricDataQueries = [], NextToken = "0" }) => {
    const query = MetricDataQueries[Number(NextToken)];
    const { Metric, Stat } = query?.MetricStat ?? {};
    const [{ Value: service = "" } = {}] = Metric?.Dimensions ?? [];
    const points = series[`${service} ${Metric?.MetricName} ${Stat}`] ?? [];
    const next = Number(NextToken) + 1;
    return {
      MetricDataResults: [
        {
          Id: query?.Id,
          Timestamps: points.map(([at]) => new Date(at)),
          Values: points.map(([, value]) => value),
        },
      ],
      NextToken: next < MetricDataQueries.length ? String(next) : undefined,
    };
  };
}

describe("the metrics of the functions", () => {
  const metrics = metricsOf({
    "rotation PropagationLatency p50": [[FROM, 700]],
    "rotation PropagationLatency p99": [[FROM, 1_900]],
    "rotation PropagationLatency Maximum": [[FROM, 2_500]],
    "reconcile TargetsDrifted Sum": [
      [FROM, 3],
      [FROM + HOUR_MS, 1],
    ],
    "reconcile TargetsRepaired Sum": [[FROM, 2]],
    "reconcile OldestStaleness Maximum": [[FROM, 90_000]],
    "reconcile SweepBindingsChecked Sum": [[FROM, 10_000]],
  });

  it("are read page by page, and merged by time", async () => {
    const measured = await readMeasured(metrics, { namespace: "SecretRelay", from: FROM, to: MADE_AT });

    expect(measured.latency).toEqual([{ at: FROM, p50: 700, p99: 1_900, slowest: 2_500 }]);
    expect(measured.drift).toEqual([
      { at: FROM, found: 3, repaired: 2, refused: 0, failed: 0 },
      { at: FROM + HOUR_MS, found: 1, repaired: 0, refused: 0, failed: 0 },
    ]);
    expect(measured.staleness).toEqual([{ at: FROM, ms: 90_000 }]);
    expect(measured.checked).toEqual([{ at: FROM, checked: 10_000, unknown: 0 }]);
  });

  it.each([
    [24, 300],
    [168, 2_100],
    [1_512, 18_300],
  ])(
    "over %i hours is asked for in steps of %i s, so that a month is readable too",
    async (hours, seconds) => {
      const periods = new Set<number | undefined>();
      const spy: GetMetricData = async ({ MetricDataQueries = [] }) => {
        for (const { MetricStat } of MetricDataQueries) periods.add(MetricStat?.Period);
        return { MetricDataResults: [], NextToken: undefined };
      };
      await readMeasured(spy, { namespace: "SecretRelay", from: MADE_AT - hours * HOUR_MS, to: MADE_AT });

      expect([...periods]).toEqual([seconds]);
    },
  );

  it("are shown on the page in place of the data in reports", async () => {
    const measured = await readMeasured(metrics, { namespace: "SecretRelay", from: FROM, to: MADE_AT });
    const sweeps = [sweepReport({ bindings: 1, checked: 1 })];
    const page = renderPage(fleetReport({ sweeps, measured, madeAt: MADE_AT, release: "0.1.0" }));

    expect(page).toContain("typically 700 ms, at most 2.5 s");
    expect(page).toContain("4 findings, 2 of them repaired");
    expect(page).toContain("and CloudWatch,");
  });
});

describe("the newest sweep, from the log", () => {
  /** The lines that the reconcile function really writes for a report. */
  function linesOf(report: SweepReport, at: number): LogLine[] {
    const lines: LogLine[] = [];
    const write = (message: string) => void lines.push({ at, message });
    const logger = new Logger({ serviceName: "reconcile" });
    const print = (_level: string) => (message: string, extra: object) =>
      write(JSON.stringify({ message, ...extra, service: "reconcile" }));
    const log = logThrough({
      debug: print("DEBUG"),
      info: print("INFO"),
      warn: print("WARN"),
      error: print("ERROR"),
    } as unknown as typeof logger);
    reportSweep(
      (code: LogCode, fields?: LogFields) => log(code, fields),
      () => {},
      report,
    );
    return lines;
  }

  const older = sweepReport({ sweepId: "older", bindings: 9, checked: 9, targets: [finding("old")] });
  const newer = sweepReport({
    sweepId: "newer",
    bindings: 12,
    checked: 10,
    targets: [
      finding("stale", { staleMs: 61_000 }),
      finding("edited", {
        finding: "TAMPERED",
        fields: [
          {
            field: "data.a by b",
            what: "changed",
            manager: "kubectl-edit",
            at: "2026-11-24T05:00:00.000Z",
          },
          { field: "data.gone", what: "removed" },
        ],
        outcome: "refused",
        code: "FIELD_OWNED_BY_ANOTHER",
        advice: "Set adopt: true.",
      }),
      finding("slow", { outcome: "failed", code: "CLUSTER_THROTTLED", advice: "Wait." }),
      finding("absent", { finding: "MISSING", action: "create" }),
      row("kept", {
        finding: "SOURCE_MISSING",
        action: "refuse",
        code: "SOURCE_MISSING",
        advice: "Create it.",
      }),
      row("leaving", { finding: "ORPHAN", action: "none", deleteAfter: "2026-11-25T05:00:00.000Z" }),
      finding("gone", { finding: "ORPHAN", action: "delete", outcome: "deleted" }),
      row("held", {
        finding: "STALE",
        action: "refuse",
        code: "HELD",
        advice: "Wait.",
        until: "2026-11-24T09:00:00.000Z",
      }),
      row("shared", {
        finding: "FOREIGN_KEYS",
        action: "none",
        foreignKeys: [{ key: "debug", manager: "kubectl edit (1)" }, { key: "old" }],
      }),
      row("taken", { finding: "NOT_OURS", action: "update", outcome: "written", trackedBy: "Argo CD shop" }),
      row("twice", { action: "refuse", code: "CLUSTER_LISTED_TWICE", advice: "Remove one." }),
      row("far", { action: "unknown", code: "CLUSTER_UNAVAILABLE", advice: "Wait." }),
    ],
  });

  it("is the same as its report, except fields that are not logged", () => {
    const [sweep, ...others] = lastSweepOf([...linesOf(newer, 2_000), ...linesOf(older, 1_000)]);

    expect(others).toEqual([]);
    const { calls, endedAt, startedAt, ...told } = newer;
    expect(sweep).toMatchObject(told);
    expect(fleetReport({ sweeps: [sweep ?? older], madeAt: MADE_AT, release: "0" }).counts).toEqual(
      fleetReport({ sweeps: [newer], madeAt: MADE_AT, release: "0" }).counts,
    );
  });

  it("of several invocations is one report with the number of missing shards", () => {
    const start = sweepReport({ sweepId: "newer", shardsQueued: 2 });

    const [sweep] = joinShards(lastSweepOf([...linesOf(start, 1_000), ...linesOf(newer, 2_000)]));

    expect(sweep).toMatchObject({ bindings: 12, checked: 10, shardsQueued: 1 });
    expect(sweep?.targets).toHaveLength(12);
  });

  it("ignores plans and other lines of the log", () => {
    const lines = [
      ...linesOf(older, 1_000),
      ...linesOf({ ...newer, plan: true }, 2_000),
      { at: 3_000, message: "START RequestId: 1" },
      { at: 3_000, message: '{"logCode":"SWEEP_COMPLETED","sweepId":{"a":1}}' },
      { at: 3_000, message: "null" },
      { at: 3_000, message: '{"logCode":"DRIFT_FOUND","sweepId":"older","finding":"constructor"}' },
    ];

    expect(lastSweepOf(lines)).toMatchObject([{ sweepId: "older", targets: older.targets }]);
    expect(lastSweepOf([])).toEqual([]);
  });
});
