import type { WorkloadKind } from "../bindings/binding.ts";
import type { SkipCode } from "./outcome.ts";
import type { PendingRestart } from "./pending-restart.ts";
import {
  type AnnotationsPatch,
  annotationsOfRestart,
  RESTARTED_AT,
  restartedFor,
  rolledOut,
  type SecretVersion,
} from "./restart-annotations.ts";
import type { RawObject } from "./workload.ts";

export type RestartPlan =
  /** `restartPatch` makes the patch. */
  | { readonly kind: "restart" }
  /** No restart; the merge patch only records the version that the workload runs with. */
  | { readonly kind: "record"; readonly patch: AnnotationsPatch }
  | { readonly kind: "already" }
  /** `until`: ms since the epoch, for RESTART_TOO_SOON. */
  | { readonly kind: "skip"; readonly code: SkipCode; readonly until?: number };

export type RestartInput = {
  readonly kind: WorkloadKind;
  readonly workload: RawObject;
  readonly secretName: string;
  readonly pending: PendingRestart;
  readonly minimumIntervalSeconds: number;
  readonly now: number;
};

/**
 * Whether a workload must be restarted for the pending version. Pure.
 *
 * The version that the workload runs with decides, not whether the Secret was absent before. The relay records it on the
 * pod template at a restart, and before the first restart on the workload's own metadata. If it differs from the pending
 * version, the restart is due.
 *
 * Two kinds of workload run with the pending version without a record: those younger than the data, and those without
 * any record when the Secret was created. Their version is recorded now, for comparison if the Secret is deleted and
 * recreated later.
 */
export function planRestart(input: RestartInput): RestartPlan {
  const { kind, workload, secretName, pending, now } = input;
  const { metadata = {}, spec = {} } = workload;
  const annotations = annotationsOfRestart(kind, workload);
  const restartedVersion = annotations[restartedFor(secretName)];
  const runsWith = restartedVersion ?? metadata.annotations?.[restartedFor(secretName)];
  if (runsWith === pending.versionId) return { kind: "already" };
  // creationTimestamp is rounded down to seconds, so in doubt a workload counts as older and is restarted.
  const isYounger = Date.parse(metadata.creationTimestamp ?? "") > pending.changedAt;
  if (isYounger || (pending.isFirst && runsWith === undefined)) {
    const isRecordable = restartedVersion === undefined && metadata.deletionTimestamp === undefined;
    return isRecordable ? { kind: "record", patch: recordFor(input) } : { kind: "already" };
  }
  if (pending.impliedBy !== undefined) return { kind: "already" };

  if (metadata.deletionTimestamp !== undefined) return { kind: "skip", code: "WORKLOAD_BEING_DELETED" };
  if (spec.paused === true) return { kind: "skip", code: "WORKLOAD_PAUSED" };
  if (spec.updateStrategy?.type === "OnDelete") return { kind: "skip", code: "WORKLOAD_UPDATES_ON_DELETE" };
  const until = Date.parse(annotations[RESTARTED_AT] ?? "") + input.minimumIntervalSeconds * 1_000;
  if (now < until) return { kind: "skip", code: "RESTART_TOO_SOON", until };
  return { kind: "restart" };
}

/**
 * A merge patch with the resourceVersion of the workload. `others`: further Secrets that the new pods read, with the
 * version that they find there.
 *
 * A merge patch, because a server-side apply would create a missing workload (and need the permission to), and would
 * drop the annotations for other Secrets.
 *
 * The resourceVersion makes the patch fail if the workload has changed since it was read, so two invocations that both
 * find a restart due restart it once.
 *
 * The records of the rollout before go: after a quick rollback they would name the version whose second rollout begins.
 */
export function restartPatch(
  { kind, workload, secretName, pending, now }: RestartInput,
  others: readonly SecretVersion[] = [],
): AnnotationsPatch {
  const at = new Date(now).toISOString();
  const served = [...others, { secretName, versionId: pending.versionId }];
  const records = served.map((each) => [restartedFor(each.secretName), each.versionId]);
  const annotations = { ...Object.fromEntries(records), [RESTARTED_AT]: at };
  const fence = { resourceVersion: workload.metadata?.resourceVersion };
  const record = Object.fromEntries(served.map((each) => [rolledOut(each.secretName), null]));
  // A Rollout replaces pods older than restartAt; a changed template would start a canary instead.
  return kind === "Rollout"
    ? {
        metadata: { ...fence, annotations: { ...annotations, ...record } },
        spec: { restartAt: `${at.slice(0, 19)}Z` },
      }
    : { metadata: { ...fence, annotations: record }, spec: { template: { metadata: { annotations } } } };
}

/** The annotations of the workload itself are not in its pod template, so this starts no rollout. */
function recordFor({ workload, secretName, pending }: RestartInput): AnnotationsPatch {
  const annotations = { [restartedFor(secretName)]: pending.versionId };
  return { metadata: { resourceVersion: workload.metadata?.resourceVersion, annotations } };
}
