import type { GetMetricDataCommandInput, GetMetricDataCommandOutput } from "@aws-sdk/client-cloudwatch";
import type { MetricName } from "../../shared/runtime/metrics.ts";
import type { Measured } from "../report/measured.ts";

export type GetMetricData = (
  input: GetMetricDataCommandInput,
) => Promise<Pick<GetMetricDataCommandOutput, "MetricDataResults" | "NextToken">>;

/** The metrics of the functions in a time range, with about 300 points. */
export async function readMeasured(
  getMetricData: GetMetricData,
  { namespace, from, to }: { namespace: string; from: number; to: number },
): Promise<Measured> {
  const periodMs = periodOf(to - from);
  const series = await readSeries(getMetricData, { namespace, from, to, periodMs });
  const of = (id: Id) => series.get(id) ?? new Map<number, number>();
  const at = (...ids: Id[]) => [...new Set(ids.flatMap((id) => [...of(id).keys()]))].sort((a, b) => a - b);
  const value = (id: Id, time: number) => of(id).get(time) ?? 0;
  return {
    from,
    to,
    periodMs,
    latency: at("slowest").map((time) => ({
      at: time,
      // Metrics that were published as statistics have no percentiles.
      p50: of("p50").get(time) ?? value("slowest", time),
      p99: of("p99").get(time) ?? value("slowest", time),
      slowest: value("slowest", time),
    })),
    staleness: at("staleness").map((time) => ({ at: time, ms: value("staleness", time) })),
    drift: at("found", "repaired", "refused", "failed").map((time) => ({
      at: time,
      found: value("found", time),
      repaired: value("repaired", time),
      refused: value("refused", time),
      failed: value("failed", time),
    })),
    checked: at("checked", "unknown").map((time) => ({
      at: time,
      checked: value("checked", time),
      unknown: value("unknown", time),
    })),
  };
}

type Id = keyof typeof WANTED;

const WANTED = {
  p50: ["rotation", "PropagationLatency", "p50"],
  p99: ["rotation", "PropagationLatency", "p99"],
  slowest: ["rotation", "PropagationLatency", "Maximum"],
  staleness: ["reconcile", "OldestStaleness", "Maximum"],
  found: ["reconcile", "TargetsDrifted", "Sum"],
  repaired: ["reconcile", "TargetsRepaired", "Sum"],
  refused: ["reconcile", "TargetsRefused", "Sum"],
  failed: ["reconcile", "TargetsFailed", "Sum"],
  checked: ["reconcile", "SweepBindingsChecked", "Sum"],
  unknown: ["reconcile", "SweepBindingsUnknown", "Sum"],
} as const satisfies Record<string, readonly [service: string, MetricName, stat: string]>;

async function readSeries(
  getMetricData: GetMetricData,
  { namespace, from, to, periodMs }: { namespace: string; from: number; to: number; periodMs: number },
): Promise<Map<string, Map<number, number>>> {
  const MetricDataQueries = Object.entries(WANTED).map(([Id, [service, MetricName, Stat]]) => ({
    Id,
    MetricStat: {
      Metric: { Namespace: namespace, MetricName, Dimensions: [{ Name: "service", Value: service }] },
      Period: periodMs / 1_000,
      Stat,
    },
  }));
  const series = new Map<string, Map<number, number>>();
  let NextToken: string | undefined;
  do {
    const page = await getMetricData({
      MetricDataQueries,
      StartTime: new Date(from),
      EndTime: new Date(to),
      ScanBy: "TimestampAscending",
      ...(NextToken !== undefined && { NextToken }),
    });
    for (const { Id = "", Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
      const points = series.get(Id) ?? new Map<number, number>();
      series.set(Id, points);
      for (const [index, time] of Timestamps.entries()) {
        const value = Values[index];
        if (typeof value === "number" && Number.isFinite(value)) points.set(time.getTime(), value);
      }
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return series;
}

/** Sweeps run every five minutes, so a finer step adds no detail; a coarser one keeps a month readable. */
function periodOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / POINTS_MAX / FIVE_MINUTES_MS)) * FIVE_MINUTES_MS;
}

const POINTS_MAX = 300;
const FIVE_MINUTES_MS = 300_000;
