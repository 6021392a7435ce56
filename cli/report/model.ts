import { FINDING_CODES, type Finding, type FindingCode } from "../../shared/sweep/finding.ts";
import type { InOrder, SweepReport, Unchecked } from "../../shared/sweep/report.ts";
import { latencyBetween } from "./latency.ts";
import type { LatencyPoint, Measured } from "./measured.ts";
import { STATE_ORDER, type State, stateOf } from "./states.ts";
import { spanOf } from "./words.ts";

/** Everything that the page tells, ready to be drawn. */
export type FleetReport = {
  readonly madeAt: number;
  readonly release: string;
  /** The newest sweep, which the states are from; with those of other clusters, when each was swept by itself. */
  readonly latest: Sweep;
  /** From the oldest to the newest. */
  readonly sweeps: readonly Sweep[];
  /** Every target that is named, those first that need somebody. */
  readonly rows: readonly Row[];
  /** In order, and not named in the report. */
  readonly unnamed: number;
  readonly counts: Readonly<Record<State, number>>;
  readonly bindings: number;
  readonly reasons: readonly Reason[];
  readonly clusters: readonly ClusterSummary[];
  readonly latency: readonly LatencyPoint[];
  readonly measured?: Measured;
  /** What could not be read, in words. */
  readonly missing: readonly string[];
};

export type Row = {
  readonly state: State;
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  /** Of the finding, or why it could not be looked at; "" for what is in order. */
  readonly code: string;
  readonly why: string;
  readonly advice: string;
  readonly staleMs?: number;
  readonly versionId?: string;
  readonly writtenAt?: string;
};

export type Sweep = {
  readonly at: number;
  readonly ms: number;
  readonly mode: SweepReport["mode"];
  readonly plan: boolean;
  readonly bindings: number;
  readonly counts: Readonly<Record<State, number>>;
  readonly oldestStaleMs: number;
  /** Shards that somebody else sweeps, and whose reports are not here. */
  readonly shardsMissing: number;
};

/** Targets that share a reason. */
export type Reason = {
  readonly state: State;
  readonly code: string;
  readonly meaning: string;
  readonly count: number;
  readonly oldestStaleMs: number;
  /** Of the most of them. */
  readonly advice: string;
};

export type ClusterSummary = {
  readonly cluster: string;
  readonly named: number;
  readonly counts: Readonly<Record<State, number>>;
  readonly oldestStaleMs: number;
};

export function fleetReport({
  sweeps,
  measured,
  missing = [],
  madeAt,
  release,
}: {
  sweeps: readonly SweepReport[];
  measured?: Measured;
  missing?: readonly string[];
  madeAt: number;
  release: string;
}): FleetReport {
  const ordered = sweeps.toSorted((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  const current = currentReports(ordered);
  const rows = current.flatMap(rowsOf).toSorted(byUrgency);
  const latest = current.map(summarise).reduce(together);
  const latency = measured?.latency ?? latencyBetween(ordered);
  return {
    madeAt,
    release,
    latest,
    sweeps: ordered.map(summarise),
    rows,
    unnamed: latest.counts.fresh - rows.filter(({ state }) => state === "fresh").length,
    counts: latest.counts,
    bindings: latest.bindings,
    reasons: reasonsOf(rows),
    clusters: clustersOf(rows),
    latency,
    ...(measured && { measured }),
    missing,
  };
}

/**
 * The newest report, and before it those of clusters that it does not know: several stacks share one page, and so do
 * sweeps of one cluster each. Only an inventory says which clusters a report is about.
 */
function currentReports(ordered: readonly SweepReport[]): readonly SweepReport[] {
  const [newest, ...older] = ordered.toReversed();
  if (newest === undefined) throw new RangeError("A report needs a sweep");
  if (newest.inventory === undefined) return [newest];
  const covered = clustersIn(newest);
  const others = older.filter((report) => {
    const clusters = clustersIn(report);
    if (report.inventory === undefined || clusters.size === 0 || !clusters.isDisjointFrom(covered))
      return false;
    for (const cluster of clusters) covered.add(cluster);
    return true;
  });
  return [newest, ...others];
}

const clustersIn = (report: SweepReport): Set<string> =>
  new Set(rowsOf(report).map(({ cluster }) => cluster));

function together(a: Sweep, b: Sweep): Sweep {
  const counts = STATE_ORDER.map((state) => [state, a.counts[state] + b.counts[state]]);
  return {
    ...a,
    ms: a.ms + b.ms,
    bindings: a.bindings + b.bindings,
    counts: Object.fromEntries(counts) as Sweep["counts"],
    oldestStaleMs: Math.max(a.oldestStaleMs, b.oldestStaleMs),
    shardsMissing: a.shardsMissing + b.shardsMissing,
  };
}

function summarise(report: SweepReport): Sweep {
  const { startedAt, endedAt, mode, plan, bindings, checked, findings, unchecked } = report;
  // An orphan has no binding, so it is none of those that were checked.
  const bound = findings.filter(({ code }) => code !== "ORPHAN").length;
  const counts = countStates([
    ...findings.map(({ action }) => stateOf(action)),
    ...unchecked.map((): State => "unchecked"),
  ]);
  return {
    at: Date.parse(startedAt),
    ms: Date.parse(endedAt) - Date.parse(startedAt),
    mode,
    plan,
    bindings,
    counts: { ...counts, fresh: Math.max(0, checked - bound) },
    oldestStaleMs: Math.max(0, ...findings.map(({ details }) => details.staleMs ?? 0)),
    shardsMissing: report.shardsQueued,
  };
}

function rowsOf({ findings, unchecked, inventory = [] }: SweepReport): Row[] {
  return [...findings.map(rowOfFinding), ...unchecked.map(rowOfUnchecked), ...inventory.map(rowInOrder)];
}

function rowOfFinding({ code, target, source, details, action }: Finding): Row {
  const { staleMs, fields = [], cause, advice, currentVersionId, liveVersionId } = details;
  const versionId = liveVersionId ?? currentVersionId;
  const what = fields.map(
    ({ field, what, manager, at }) =>
      `${field} ${what}${manager === undefined ? "" : ` by ${manager}`}${at === undefined ? "" : ` at ${at}`}`,
  );
  const because = "code" in action ? action.code : cause;
  const notes = [
    ...(staleMs === undefined ? [] : [`For at least ${spanOf(staleMs)}`]),
    ...what,
    ...(because === undefined ? [] : [because]),
  ];
  return {
    ...target,
    state: stateOf(action),
    source,
    code,
    why: [FINDING_CODES[code], notes.length > 0 ? `${notes.join("; ")}.` : ""].join(" ").trim(),
    advice: "advice" in action ? action.advice : (advice ?? ""),
    ...(staleMs !== undefined && { staleMs }),
    ...(versionId !== undefined && { versionId }),
  };
}

function rowOfUnchecked({ target, source, code, advice }: Unchecked): Row {
  return { ...target, state: "unchecked", source, code, why: "It could not be compared.", advice };
}

function rowInOrder({ target, source, versionId, writtenAt }: InOrder): Row {
  return {
    ...target,
    state: "fresh",
    source,
    code: "",
    why: "",
    advice: "",
    ...(versionId !== undefined && { versionId }),
    ...(writtenAt !== undefined && { writtenAt }),
  };
}

function byUrgency(a: Row, b: Row): number {
  return (
    STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) ||
    (b.staleMs ?? 0) - (a.staleMs ?? 0) ||
    compareText(a.cluster, b.cluster) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function reasonsOf(rows: readonly Row[]): Reason[] {
  const groups = Map.groupBy(
    rows.filter(({ state }) => state !== "fresh"),
    ({ state, code }) => `${state} ${code}`,
  );
  return [...groups.values()]
    .flatMap((group): Reason[] => {
      const [first] = group;
      if (first === undefined) return [];
      const { state, code } = first;
      return [
        {
          state,
          code,
          meaning: isFindingCode(code) ? FINDING_CODES[code] : first.why,
          count: group.length,
          oldestStaleMs: oldestOf(group),
          advice: commonest(group.map(({ advice }) => advice)),
        },
      ];
    })
    .toSorted((a, b) => STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) || b.count - a.count);
}

const isFindingCode = (code: string): code is FindingCode => Object.hasOwn(FINDING_CODES, code);

function clustersOf(rows: readonly Row[]): ClusterSummary[] {
  return [...Map.groupBy(rows, ({ cluster }) => cluster)]
    .map(([cluster, group]) => ({
      cluster,
      named: group.length,
      counts: countStates(group.map(({ state }) => state)),
      oldestStaleMs: oldestOf(group),
    }))
    .toSorted(
      (a, b) =>
        b.counts.refused - a.counts.refused ||
        b.counts.drifted + b.counts.unchecked - a.counts.drifted - a.counts.unchecked ||
        compareText(a.cluster, b.cluster),
    );
}

const oldestOf = (rows: readonly Row[]): number =>
  rows.reduce((oldest, { staleMs = 0 }) => Math.max(oldest, staleMs), 0);

function countStates(states: readonly State[]): Record<State, number> {
  const counts = { refused: 0, drifted: 0, unchecked: 0, left: 0, repaired: 0, fresh: 0 };
  for (const state of states) counts[state] += 1;
  return counts;
}

function commonest(texts: readonly string[]): string {
  const groups = [...Map.groupBy(texts, (text) => text)];
  return groups.toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? "";
}
