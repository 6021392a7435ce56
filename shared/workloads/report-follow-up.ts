import type { TargetRef } from "../bindings/binding.ts";
import { nameOfTarget } from "../bindings/name-of-target.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { FollowUpOutcome } from "./outcome.ts";

/** Reports follow-up actions as log lines and metrics. Loaded lazily, only for bindings that have follow-up actions. */
export function reportFollowUp(
  log: Log,
  measure: Measure,
  about: { readonly target: TargetRef; readonly source: string },
  { restarts = [], nudge, eventFailure, effective }: FollowUpOutcome,
): void {
  const where = { target: nameOfTarget(about.target), source: about.source };
  for (const { workload, outcome, code, alsoFor, rollout } of restarts) {
    if (rollout?.state === "complete") log("ROLLOUT_COMPLETED", { ...where, workload });
    if (rollout?.state === "stuck") {
      const { reason: code = "", podReasons } = rollout;
      log("ROLLOUT_STUCK", { ...where, workload, code, ...(podReasons && { podReasons }) });
      measure("RolloutsStuck", 1, rollout.reason);
    }
    if (outcome === "already" || outcome === "due") continue;
    const details = { ...(code !== undefined && { code }), ...(alsoFor && { alsoFor }) };
    log(LOG_OF_RESTART[outcome], { ...where, workload, ...details });
    if (outcome === "restarted") measure("WorkloadsRestarted", 1);
    if (outcome === "refused" || outcome === "failed") measure("RestartsFailed", 1, code);
  }
  if (effective !== undefined) {
    log("ROTATION_EFFECTIVE", { ...where, effectiveMs: effective.afterMs });
    measure("TimeToEffective", effective.afterMs);
  }
  if (nudge !== undefined && nudge.nudged > 0) log("PODS_NUDGED", { ...where, pods: nudge.nudged });
  if (nudge !== undefined && (nudge.code !== undefined || nudge.left > 0)) {
    const pods = nudge.failed + nudge.left;
    log("NUDGE_INCOMPLETE", { ...where, pods, ...(nudge.code !== undefined && { code: nudge.code }) });
  }
  if (eventFailure !== undefined) log("KUBERNETES_EVENT_FAILED", { ...where, code: eventFailure });
}

const LOG_OF_RESTART = {
  restarted: "WORKLOAD_RESTARTED",
  skipped: "RESTART_SKIPPED",
  refused: "RESTART_REFUSED",
  failed: "RESTART_FAILED",
} as const;
