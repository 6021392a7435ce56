import type { Action, Finding, TamperedField } from "../sweep/finding.ts";
import { isComplete, type SweepReport } from "../sweep/report.ts";
import type { Log } from "./log.ts";
import type { Measure, MetricName } from "./measure.ts";
import { describeCollisions, nameOfTarget } from "./report-outcome.ts";

/** The log lines and metrics of a sweep's report: one line a finding, one line in sum. */
export function reportSweep(log: Log, measure: Measure, report: SweepReport): void {
  const { sweepId, mode, plan, findings, unchecked, calls } = report;
  for (const finding of findings) {
    log("DRIFT_FOUND", { sweepId, ...describeFinding(finding) });
    // What is left on purpose stays for good, and an alarm on drift that recurs would never end.
    measure(finding.action.kind === "left" ? "TargetsLeft" : "TargetsDrifted", 1, finding.code);
    measureAction(measure, finding.action);
  }
  for (const { target, source, code, advice } of unchecked) {
    log("TARGET_UNCHECKED", { sweepId, target: nameOfTarget(target), source, code, advice });
  }
  for (const { cluster, namespace, code } of report.unseen) {
    log("ORPHANS_UNSEEN", { sweepId, target: `${cluster}/${namespace}`, code });
  }
  for (const { target, source, certificateExpiresInDays, collisions } of report.remarks ?? []) {
    const about = { sweepId, target: nameOfTarget(target), source };
    if (certificateExpiresInDays !== undefined) {
      log("CERTIFICATE_SEEN", { ...about, certificateExpiresInDays });
      measure("CertificateExpiresInDays", certificateExpiresInDays);
    }
    if (collisions !== undefined) log("KEYS_COLLIDE", { ...about, ...describeCollisions({ collisions }) });
  }
  // Zeros are written too: an alarm can tell "no drift" from "no sweep".
  if (findings.every(({ action }) => action.kind === "left")) measure("TargetsDrifted", 0);
  measure("SweepBindingsChecked", report.checked);
  measure("SweepBindingsUnchecked", unchecked.length);
  measure("OldestStaleness", Math.max(0, ...findings.map(({ details }) => details.staleMs ?? 0)));
  measure("AwsCalls", calls.aws);
  measure("KubernetesCalls", calls.kubernetes);
  measure("Throttles", calls.throttles);
  log("SWEEP_COMPLETED", {
    sweepId,
    mode,
    plan,
    bindings: report.bindings,
    checked: report.checked,
    unchecked: unchecked.length,
    findings: findings.length,
    shardsQueued: report.shardsQueued,
    awsCalls: calls.aws,
    kubernetesCalls: calls.kubernetes,
  });
}

/**
 * How far a sweep got. A sweep done in one invocation is one shard, planned and completed by it; one that was split
 * plans as many as it queued, and each completes itself. A shard that hands its rest over plans that rest.
 */
export function measureProgress(measure: Measure, report: SweepReport, isShard: boolean): void {
  const isSplit = !isShard && report.bindings === 0 && report.shardsQueued > 0;
  const planned = report.shardsQueued + (isShard || isSplit ? 0 : 1);
  if (planned > 0) measure("SweepShardsPlanned", planned);
  if (isSplit) return;
  measure("SweepShardsCompleted", isComplete({ ...report, shardsQueued: 0 }) ? 1 : 0);
  measure("SweepLag", Date.parse(report.endedAt) - Date.parse(report.startedAt));
}

function measureAction(measure: Measure, action: Action): void {
  const name = METRIC_OF_ACTION[action.kind];
  if (name !== undefined) measure(name, 1, "code" in action ? action.code : undefined);
}

const METRIC_OF_ACTION: Readonly<Record<Action["kind"], MetricName | undefined>> = {
  repaired: "TargetsRepaired",
  deleted: "TargetsDeleted",
  "held-back": "DeletionsHeldBack",
  refused: "TargetsRefused",
  failed: "TargetsFailed",
  planned: undefined,
  "already-right": undefined,
  left: undefined,
};

function describeFinding({ code, target, source, details, action }: Finding) {
  const { staleMs, fields = [], changes = [] } = details;
  return {
    finding: code,
    target: nameOfTarget(target),
    source,
    action: action.kind === "planned" ? `would ${action.would}` : action.kind,
    ...("code" in action && { code: action.code, advice: action.advice }),
    ...(staleMs !== undefined && { staleMs }),
    ...(fields.length > 0 && { fields: fields.map(describeField) }),
    ...(changes.length > 0 && { changes: changes.map(({ key, what }) => `${what} data.${key}`) }),
    ...describeCollisions(details),
  };
}

function describeField({ field, what, manager, at }: TamperedField): string {
  const by = manager === undefined ? "" : ` by ${manager}`;
  return `${field} ${what}${by}${at === undefined ? "" : ` at ${at}`}`;
}
