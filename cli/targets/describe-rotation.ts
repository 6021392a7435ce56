import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { isUnfinished, type RestartOutcome } from "../../shared/workloads/outcome.ts";
import { spanOf } from "../terminal/format.ts";

/** The time to effective: `38 s`, or what the Secret waits for. Undefined for a target without workloads to restart. */
export function describeRotation({
  rotation,
  restarts = [],
}: Pick<TargetRow, "rotation" | "restarts">): string | undefined {
  if (rotation === undefined) return undefined;
  const { state, effectiveAfterMs } = rotation;
  if (state === "effective") return spanOf(effectiveAfterMs ?? 0);
  if (state === "unneeded") return "no restart needed";
  return `${VERBS[state]} ${restarts.filter(isUnfinished).map(nameOf).join(", ")}`;
}

const VERBS = { waiting: "waits for", stuck: "stuck:", refused: "refused:" } as const;

/** `Deployment/shop (2 of 3 pods)`. */
function nameOf({ workload, outcome, code, rollout }: RestartOutcome): string {
  const { reason, podReasons = [], pods } = rollout ?? {};
  const count = pods && `${pods.available} of ${pods.desired} pods`;
  const about = rollout === undefined ? [code ?? outcome] : [reason, ...podReasons, count];
  const shown = about.filter((each) => each !== undefined);
  return shown.length === 0 ? workload : `${workload} (${shown.join(", ")})`;
}
