import { nameOfTarget } from "../bindings/name-of-target.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure, MetricName } from "../runtime/metrics.ts";
import { describeCollisions, describeForeignChange } from "../sync/report-outcome.ts";
import { isComplete, type SweepReport } from "./report.ts";
import { isDrift, type RowOutcome, type TargetRow } from "./target-row.ts";

/** Logs and measures a report: one line per finding, and a summary. */
export function reportSweep(log: Log, measure: Measure, report: SweepReport): void {
  const { sweepId, mode, plan, generation, since, targets, calls } = report;
  for (const row of targets) reportRow(log, measure, sweepId, row);
  for (const { cluster, namespace, code } of report.orphansUnknown) {
    log("ORPHANS_UNKNOWN", { sweepId, target: `${cluster}/${namespace}`, code });
  }
  const findings = targets.filter(({ finding }) => finding !== null);
  // Zero is reported too, so that an alarm can distinguish "no drift" from "no sweep".
  if (!findings.some(isDrift)) measure("TargetsDrifted", 0);
  measure("SweepBindingsChecked", report.checked);
  measure("SweepBindingsUnknown", report.bindings - report.checked);
  measure("OldestStaleness", Math.max(0, ...targets.map(({ staleMs }) => staleMs ?? 0)));
  if (calls.throttles > 0) measure("Throttles", calls.throttles);
  log("SWEEP_COMPLETED", {
    sweepId,
    mode,
    plan,
    ...(generation !== undefined && { generation }),
    ...(since !== undefined && { since }),
    bindings: report.bindings,
    checked: report.checked,
    unknown: report.bindings - report.checked,
    findings: findings.length,
    shardsQueued: report.shardsQueued,
    awsCalls: calls.aws,
    kubernetesCalls: calls.kubernetes,
  });
}

function reportRow(log: Log, measure: Measure, sweepId: string, row: TargetRow): void {
  const { source, finding, action, code, advice, certificateExpiresInDays, outcome } = row;
  const target = nameOfTarget(row);
  if (action === "unknown") {
    log("TARGET_UNKNOWN", { sweepId, target, source, code: code ?? "", advice: advice ?? "" });
  } else if (finding !== null || code !== undefined) {
    log("DRIFT_FOUND", { sweepId, ...describeRow(row) });
    // Findings that stay on purpose are counted separately: an alarm on drift would never clear.
    if (finding !== null) measure(isDrift(row) ? "TargetsDrifted" : "TargetsLeft", 1, finding);
    measureRefusal(measure, row);
  }
  const name = outcome && METRIC_OF_OUTCOME[outcome];
  if (name !== undefined) measure(name, 1, outcome === "failed" ? code : undefined);
  const about = { sweepId, target, source };
  if (certificateExpiresInDays !== undefined) {
    log("CERTIFICATE_SEEN", { ...about, certificateExpiresInDays });
    measure("CertificateExpiresInDays", certificateExpiresInDays);
  }
  if (row.collisions !== undefined && finding === null)
    log("KEYS_COLLIDE", { ...about, ...describeCollisions(row) });
}

function measureRefusal(measure: Measure, row: TargetRow): void {
  const isRefused = row.action === "refuse" || row.outcome === "refused";
  if (isRefused && (isDrift(row) || row.finding === null) && !isQuietHold(row)) {
    measure("TargetsRefused", 1, row.code);
  }
}

const isQuietHold = ({ code, finding }: TargetRow): boolean => code === "HELD" && finding !== "STALE";

/**
 * Planned and completed shards. A sweep in one invocation plans and completes one shard. A split sweep plans the queued
 * shards, and each completes itself. A shard that hands over its remaining items plans those shards.
 */
export function measureProgress(measure: Measure, report: SweepReport, isShard: boolean): void {
  const isSplit = !isShard && report.bindings === 0 && report.shardsQueued > 0;
  const planned = report.shardsQueued + (isShard || isSplit ? 0 : 1);
  if (planned > 0) measure("SweepShardsPlanned", planned);
  if (isSplit) return;
  measure("SweepShardsCompleted", isComplete({ ...report, shardsQueued: 0 }) ? 1 : 0);
}

const METRIC_OF_OUTCOME: Readonly<Record<RowOutcome, MetricName | undefined>> = {
  written: "TargetsRepaired",
  deleted: "TargetsDeleted",
  "held-back": "DeletionsHeldBack",
  failed: "TargetsFailed",
  refused: undefined,
  unchanged: undefined,
};

function describeRow(row: TargetRow) {
  const { source, finding, action, outcome, code, advice, staleMs, deleteAfter, until } = row;
  const { fields = [], foreignKeys = [], changes = [], trackedBy, podReasons } = row;
  return {
    ...(finding !== null && { finding }),
    target: nameOfTarget(row),
    source,
    action: outcome ?? action,
    ...(code !== undefined && { code }),
    ...(advice !== undefined && { advice }),
    ...(staleMs !== undefined && { staleMs }),
    ...(deleteAfter !== undefined && { deleteAfter }),
    ...(until !== undefined && { until }),
    ...(trackedBy !== undefined && { trackedBy }),
    ...(podReasons !== undefined && { podReasons }),
    ...(fields.length > 0 && { fields: fields.map(describeForeignChange) }),
    ...(foreignKeys.length > 0 && {
      foreignKeys: foreignKeys.map(({ key, manager }) => (manager ? `${key} (${manager})` : key)),
    }),
    ...(changes.length > 0 && { changes: changes.map(({ key, what }) => `${what} data.${key}`) }),
    ...describeCollisions(row),
  };
}
