import { FINDINGS, remedyFor } from "../../shared/assess/catalogue.ts";
import type { SweepPlace, SweepReport } from "../../shared/sweep/report.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { describeRotation } from "../targets/describe-rotation.ts";
import { instantOf, spanOf } from "../terminal/format.ts";
import { latencyBetween } from "./latency.ts";
import type { LatencyPoint, Measured } from "./measured.ts";
import { STATE_ORDER, STATES, type State, stateOf } from "./states.ts";

export type FleetReport = {
  readonly madeAt: number;
  readonly release: string;
  /** The installations that the page is about, as far as the reports name them. */
  readonly places: readonly SweepPlace[];
  /** The newest sweep. If each cluster has its own sweeps, the newest of each cluster, combined. */
  readonly latest: Sweep;
  /** From the oldest to the newest. */
  readonly sweeps: readonly Sweep[];
  /** The targets that the reports name, the most urgent first. */
  readonly rows: readonly Row[];
  /** Targets in order that the reports do not name. */
  readonly unnamed: number;
  readonly counts: Readonly<Record<State, number>>;
  readonly bindings: number;
  readonly reasons: readonly Reason[];
  readonly clusters: readonly ClusterSummary[];
  readonly latency: readonly LatencyPoint[];
  readonly measured?: Measured;
  /** A sentence for each metric that could not be read. */
  readonly missing: readonly string[];
};

export type Row = {
  readonly state: State;
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  /** The code of the finding, or of the refusal or failure; "" if the target is in order. */
  readonly code: string;
  /** The meaning of the code. */
  readonly meaning: string;
  /** Further observations. */
  readonly why: string;
  readonly advice: string;
  /** The command for the advice. */
  readonly command?: string;
  readonly staleMs?: number;
  readonly versionId?: string;
  readonly writtenAt?: string;
  /** The time to effective, or what the target waits for; "" without workloads to restart. */
  readonly effective: string;
};

export type Sweep = {
  readonly at: number;
  readonly ms: number;
  readonly mode: SweepReport["mode"];
  readonly plan: boolean;
  readonly bindings: number;
  readonly counts: Readonly<Record<State, number>>;
  readonly oldestStaleMs: number;
  /** Shards of other invocations whose reports are missing. */
  readonly shardsMissing: number;
};

/** Targets with the same cause. */
export type Reason = {
  readonly state: State;
  readonly code: string;
  readonly meaning: string;
  readonly count: number;
  readonly oldestStaleMs: number;
  /** The most common advice. */
  readonly advice: string;
  /** Its first targets, with the command for each. */
  readonly examples: readonly Pick<Row, "cluster" | "namespace" | "name" | "command">[];
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
  const latest = current.map(summarise).reduce(mergeSweeps);
  const latency = measured?.latency ?? latencyBetween(ordered);
  return {
    madeAt,
    release,
    places: placesOf(current),
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
 * The newest report, and the newest ones of all other clusters, because a page can have several stacks, or a sweep for
 * each cluster. Only a report that names every binding shows which clusters it covers.
 */
function currentReports(ordered: readonly SweepReport[]): readonly SweepReport[] {
  const [newest, ...older] = ordered.toReversed();
  if (newest === undefined) throw new RangeError("A report needs a sweep");
  if (!namesEveryBinding(newest)) return [newest];
  const covered = clustersIn(newest);
  const others = older.filter((report) => {
    const clusters = clustersIn(report);
    if (!namesEveryBinding(report) || !clusters.isDisjointFrom(covered)) return false;
    for (const cluster of clusters) covered.add(cluster);
    return true;
  });
  return [newest, ...others];
}

const namesEveryBinding = ({ bindings, targets }: SweepReport): boolean =>
  bindings > 0 && targets.filter(isBound).length >= bindings;

/** An orphan has no binding. */
const isBound = ({ finding }: TargetRow): boolean => finding !== "ORPHAN";

const clustersIn = ({ targets }: SweepReport): Set<string> => new Set(targets.map(({ cluster }) => cluster));

function mergeSweeps(a: Sweep, b: Sweep): Sweep {
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
  const { startedAt, endedAt, mode, plan, bindings, targets } = report;
  const notable = targets
    .map((row) => ({ row, state: stateOf(row) }))
    .filter(({ state }) => state !== "fresh");
  const bound = notable.filter(({ row }) => isBound(row)).length;
  return {
    at: Date.parse(startedAt),
    ms: Date.parse(endedAt) - Date.parse(startedAt),
    mode,
    plan,
    bindings,
    counts: { ...countStates(notable.map(({ state }) => state)), fresh: Math.max(0, bindings - bound) },
    oldestStaleMs: targets.reduce((oldest, { staleMs = 0 }) => Math.max(oldest, staleMs), 0),
    shardsMissing: report.shardsQueued,
  };
}

function rowsOf({ targets }: SweepReport): Row[] {
  return targets.map((row) => {
    const { cluster, namespace, name, source, finding, code = "", staleMs, versionId, writtenAt } = row;
    const state = stateOf(row);
    const target = { cluster, namespace, name };
    const { remedy = "", command } = finding === null ? {} : remedyFor(finding, { target, source });
    const isOver = state === "repaired" || state === "fresh";
    return {
      ...target,
      state,
      source,
      code: finding ?? code,
      meaning: finding !== null ? FINDINGS[finding].meaning : state === "fresh" ? "" : STATES[state].meaning,
      why: notesOn(row).join(" "),
      advice: row.advice ?? remedy,
      // A refusal has its own advice, and the command of the finding would contradict it.
      ...(command !== undefined && row.advice === undefined && !isOver && { command }),
      ...(staleMs !== undefined && { staleMs }),
      ...(versionId !== undefined && { versionId }),
      ...(writtenAt !== undefined && { writtenAt }),
      effective: effectiveText(row),
    };
  });
}

function effectiveText(row: TargetRow): string {
  const { rotation } = row;
  const text = describeRotation(row);
  if (rotation === undefined || text === undefined) return "";
  const written =
    rotation.writtenAfterMs === undefined ? "" : `Written after ${spanOf(rotation.writtenAfterMs)}. `;
  const start = rotation.state === "effective" ? "Effective after " : "Not effective: ";
  return `${written}${rotation.state === "unneeded" ? "No restart needed" : `${start}${text}`}.`;
}

/** A sentence for each further observation. */
function notesOn(row: TargetRow): string[] {
  const {
    finding,
    code,
    cause,
    podReasons = [],
    staleMs,
    until,
    deleteAfter,
    trackedBy,
    certificateExpiresInDays: days,
  } = row;
  const { fields = [], foreignKeys = [] } = row;
  const changes = fields.map(({ field, what, manager, at }) =>
    [field, what, manager && `by ${manager}`, at && `at ${at}`].filter(Boolean).join(" "),
  );
  const keys = foreignKeys.map(({ key, manager }) => (manager === undefined ? key : `${key} (${manager})`));
  const more = [code, cause].filter((each) => each !== undefined && each !== finding);
  return [
    ...(finding !== null && more.length > 0 ? [`${[...new Set(more)].join(", ")}.`] : []),
    ...(podReasons.length > 0 ? [`New pods: ${podReasons.join(", ")}.`] : []),
    ...(until === undefined ? [] : [`Held until ${instantOf(Date.parse(until))}.`]),
    ...(deleteAfter === undefined ? [] : [`A sweep deletes it after ${instantOf(Date.parse(deleteAfter))}.`]),
    ...(staleMs === undefined ? [] : [`For at least ${spanOf(staleMs)}.`]),
    ...(changes.length > 0 ? [`${changes.join("; ")}.`] : []),
    ...(keys.length > 0 ? [`Foreign keys: ${keys.join(", ")}.`] : []),
    ...(trackedBy === undefined ? [] : [`Tracked by ${trackedBy}.`]),
    ...(days === undefined
      ? []
      : [days < 0 ? "Its certificate has expired." : `Its certificate expires in ${days} days.`]),
  ];
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
      const { state, code, meaning } = first;
      return [
        {
          state,
          code,
          meaning,
          count: group.length,
          oldestStaleMs: oldestOf(group),
          advice: mostCommon(group.map(({ advice }) => advice)),
          examples: group.slice(0, EXAMPLES_MAX).map(({ cluster, namespace, name, command }) => ({
            ...{ cluster, namespace, name },
            ...(command !== undefined && { command }),
          })),
        },
      ];
    })
    .toSorted((a, b) => STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) || b.count - a.count);
}

const EXAMPLES_MAX = 3;

function placesOf(reports: readonly SweepReport[]): SweepPlace[] {
  const places = reports.flatMap(({ where }) => where ?? []);
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}

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
        b.counts.drifted + b.counts.unknown - a.counts.drifted - a.counts.unknown ||
        compareText(a.cluster, b.cluster),
    );
}

const oldestOf = (rows: readonly Row[]): number =>
  rows.reduce((oldest, { staleMs = 0 }) => Math.max(oldest, staleMs), 0);

function countStates(states: readonly State[]): Record<State, number> {
  const counts = { refused: 0, drifted: 0, unknown: 0, left: 0, repaired: 0, fresh: 0 };
  for (const state of states) counts[state] += 1;
  return counts;
}

function mostCommon(texts: readonly string[]): string {
  const groups = [...Map.groupBy(texts, (text) => text)];
  return groups.toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? "";
}
