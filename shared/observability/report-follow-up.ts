import type { TargetRef } from "../bindings/binding.ts";
import type { FollowUpOutcome } from "../workloads/outcome.ts";
import type { Log } from "./log.ts";
import type { Measure } from "./measure.ts";
import { nameOfTarget } from "./report-outcome.ts";

/** The log lines and metrics of what was done for those who read a target. Loaded only where a binding wants any of it. */
export function reportFollowUp(
  log: Log,
  measure: Measure,
  about: { readonly target: TargetRef; readonly source: string },
  { restarts = [], nudge, eventFailure }: FollowUpOutcome,
): void {
  const where = { target: nameOfTarget(about.target), source: about.source };
  for (const { workload, outcome, code } of restarts) {
    if (outcome === "already") continue;
    log(LOG_OF_RESTART[outcome], { ...where, workload, ...(code !== undefined && { code }) });
    if (outcome === "restarted") measure("WorkloadsRestarted", 1);
    if (outcome === "refused" || outcome === "failed") measure("RestartsFailed", 1, code);
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
