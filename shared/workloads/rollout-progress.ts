import type { WorkloadKind } from "../bindings/binding.ts";
import type { PendingRestart } from "./pending-restart.ts";
import {
  type AnnotationsPatch,
  annotationsOfRestart,
  parseRolledOut,
  printRolledOut,
  RESTARTED_AT,
  restartedFor,
  rolledOut,
} from "./restart-annotations.ts";
import { type RolloutStatus, rolloutStatus } from "./rollout-status.ts";
import type { RawObject } from "./workload.ts";

export type RolloutProgress =
  /** Nothing to follow: the relay did not restart the workload for this version. */
  | { readonly kind: "none" }
  /** Nothing to follow any more: its completion is recorded. */
  | { readonly kind: "recorded"; readonly completedAt: number }
  /** All pods run with the version. The merge patch records it, with the resourceVersion of the workload. */
  | { readonly kind: "complete"; readonly completedAt: number; readonly patch: AnnotationsPatch }
  /** `restartedAt`: ms since the epoch. */
  | { readonly kind: "open"; readonly rollout: RolloutStatus; readonly restartedAt: number };

export type RolloutInput = {
  readonly kind: WorkloadKind;
  readonly workload: RawObject;
  readonly secretName: string;
  readonly pending: PendingRestart;
  readonly deadlineMs: number;
  readonly now: number;
};

/**
 * Whether the restart of a workload for the pending version has reached all of its pods. Pure.
 *
 * The record on the workload ends the restart: a deployment that gets stuck later is not a stuck restart, and time to
 * effective is measured once, whichever invocation finds the completion.
 */
export function rolloutProgress(input: RolloutInput): RolloutProgress {
  const { kind, workload, secretName, pending, now, deadlineMs } = input;
  const { metadata = {} } = workload;
  const annotations = annotationsOfRestart(kind, workload);
  const recorded = parseRolledOut(metadata.annotations?.[rolledOut(secretName)]);
  const restartedAt = Date.parse(annotations[RESTARTED_AT] ?? "");
  const isOurRestart =
    annotations[restartedFor(secretName)] === pending.versionId && !Number.isNaN(restartedAt);
  if (!isOurRestart) return { kind: "none" };
  if (recorded?.versionId === pending.versionId) return { kind: "recorded", completedAt: recorded.at };
  const status = rolloutStatus(kind, workload);
  if (status.state !== "complete")
    return { kind: "open", restartedAt, rollout: afterDeadline(status, restartedAt + deadlineMs, now) };
  // The controller reports whole seconds. With the milliseconds of now, two invocations make different records.
  const toldAt = status.completedAt === undefined ? now : status.completedAt + (now % 1_000);
  // A controller's time in whole seconds can be before the restart, and belongs to the rollout before it then.
  const completedAt = Math.min(now, Math.max(toldAt, restartedAt));
  const record = {
    [rolledOut(secretName)]: printRolledOut({ versionId: pending.versionId, at: completedAt }),
  };
  const { resourceVersion } = metadata;
  return { kind: "complete", completedAt, patch: { metadata: { resourceVersion, annotations: record } } };
}

function afterDeadline(status: RolloutStatus, deadline: number, now: number): RolloutStatus {
  if (status.state === "stuck" || now < deadline) return status;
  const reason = status.reason ?? (status.state === "paused" ? "Paused" : "RolloutDeadlineExceeded");
  return { ...status, state: "stuck", reason };
}
