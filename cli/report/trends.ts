import { countOf, percentOf, plural, spanOf } from "../terminal/format.ts";
import { type ChartPoint, chart, counts, decades, type Series, shares, spans } from "./chart.ts";
import type { Html } from "./html.ts";
import type { FleetReport, Sweep } from "./model.ts";

/** The charts for which there is data. */
export function trends(report: FleetReport): Html[] {
  return [latency(report), freshness(report), drift(report), staleness(report)].flat();
}

function latency({ latency }: FleetReport): Html[] {
  const points = latency.map(({ at, p50, p99, slowest }) => ({ at, values: [p50, p99, slowest] }));
  if (points.length === 0) return [];
  const worst = latency.reduce((slowest, point) => Math.max(slowest, point.slowest), 0);
  const typical =
    latency.map(({ p50 }) => p50).toSorted((a, b) => a - b)[Math.floor(latency.length / 2)] ?? 0;
  return [
    chart({
      id: "latency",
      title: "Propagation latency",
      summary: `Time from a new value to its Secret: typically ${spanOf(typical)}, at most ${spanOf(worst)}.`,
      series: [
        { name: "median", tone: "fresh" },
        { name: "99th percentile", tone: "repaired" },
        { name: "slowest", tone: "left" },
      ],
      points,
      kind: "lines",
      scale: decades(valuesOf(points)),
    }),
  ];
}

function freshness({ measured, sweeps }: FleetReport): Html[] {
  const points =
    measured === undefined
      ? sweeps.flatMap((sweep) =>
          sweep.bindings === 0 ? [] : [{ at: sweep.at, values: [freshOf(sweep) / sweep.bindings] }],
        )
      : measured.checked.flatMap(({ at, checked, unknown }) =>
          checked + unknown === 0 ? [] : [{ at, values: [checked / (checked + unknown)] }],
        );
  if (points.length < 2) return [];
  const lowest = Math.min(...valuesOf(points));
  const [title, summary, name] =
    measured === undefined
      ? ([
          "Freshness",
          `Secrets with the current version: at least ${percentOf(lowest, 1)}.`,
          "in order",
        ] as const)
      : ([
          "Sweep coverage",
          `Bindings that could be checked: at least ${percentOf(lowest, 1)}.`,
          "checked",
        ] as const);
  const series: Series[] = [{ name, tone: "fresh" }];
  return [
    chart({
      id: "freshness",
      title,
      summary,
      series,
      points,
      kind: "lines",
      scale: shares(valuesOf(points)),
    }),
  ];
}

function drift({ measured, sweeps }: FleetReport): Html[] {
  const points: ChartPoint[] =
    measured === undefined
      ? sweeps.map(({ at, counts }) => ({
          at,
          values: [counts.repaired, counts.drifted, counts.refused, counts.left],
        }))
      : measured.drift.map(({ at, repaired, failed, refused, found }) => ({
          at,
          values: [repaired, failed, refused, Math.max(0, found - repaired - failed - refused)],
        }));
  if (points.length < 2) return [];
  const merged = mergePoints(points, BARS_MAX);
  const sums = merged.map(({ values }) => values.reduce<number>((sum, value = 0) => sum + value, 0));
  const found = sums.reduce((sum, value) => sum + value, 0);
  const repaired = merged.reduce((sum, { values }) => sum + (values[0] ?? 0), 0);
  return [
    chart({
      id: "drift",
      title: "Drift found and repaired",
      summary: `${plural(found, "finding")}, ${countOf(repaired)} of them repaired.`,
      series: [
        { name: "repaired", tone: "repaired" },
        { name: "retried later", tone: "drifted" },
        { name: "action needed", tone: "refused" },
        { name: measured === undefined ? "left unchanged" : "other", tone: "left" },
      ],
      points: merged,
      kind: "bars",
      scale: counts(sums),
    }),
  ];
}

function staleness({ measured, sweeps }: FleetReport): Html[] {
  const points =
    measured === undefined
      ? sweeps.map(({ at, oldestStaleMs }) => ({ at, values: [oldestStaleMs] }))
      : measured.staleness.map(({ at, ms }) => ({ at, values: [ms] }));
  if (points.length < 2) return [];
  const oldest = Math.max(...valuesOf(points));
  return [
    chart({
      id: "staleness",
      title: "Oldest stale Secret",
      summary:
        oldest === 0
          ? "No sweep found a stale Secret."
          : `The longest time that a Secret was stale: ${spanOf(oldest)}.`,
      series: [{ name: "oldest found", tone: "drifted" }],
      points,
      kind: "lines",
      scale: spans(valuesOf(points)),
    }),
  ];
}

const freshOf = ({ counts }: Sweep): number => counts.fresh + counts.repaired;

const valuesOf = (points: readonly ChartPoint[]): number[] =>
  points.flatMap(({ values }) => values.filter((value) => value !== undefined));

/** Adds up neighbouring points, so that bars stay wide enough. */
function mergePoints(points: readonly ChartPoint[], max: number): ChartPoint[] {
  const size = Math.ceil(points.length / max);
  return Array.from({ length: Math.ceil(points.length / size) }, (_, at) => {
    const group = points.slice(at * size, (at + 1) * size);
    const [first] = group;
    return {
      at: first?.at ?? 0,
      values: (first?.values ?? []).map((_, which) =>
        group.reduce((sum, { values }) => sum + (values[which] ?? 0), 0),
      ),
    };
  });
}

const BARS_MAX = 96;
