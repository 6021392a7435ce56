import type { WorkloadKind } from "../bindings/binding.ts";
import type { Notice } from "./notice.ts";
import type { SkipCode } from "./outcome.ts";
import { RESTARTED_AT, restartedFor } from "./stamps.ts";
import type { RawObject } from "./workload.ts";

export type RestartPlan =
  /** A merge patch; it holds the resourceVersion that was looked at. */
  | { readonly kind: "restart"; readonly patch: object }
  /** Nothing to restart; the patch records the version that the workload runs with, and replaces no pod. */
  | { readonly kind: "record"; readonly patch: object }
  | { readonly kind: "already" }
  | { readonly kind: "skip"; readonly code: SkipCode };

export type RestartQuestion = {
  readonly kind: WorkloadKind;
  readonly workload: RawObject;
  readonly secretName: string;
  readonly notice: Notice;
  readonly minimumIntervalSeconds: number;
  readonly now: number;
};

/**
 * Whether a workload's pods must be replaced for what the notice tells. Pure.
 *
 * The version that the workload runs with decides, not whether the Secret was absent a moment ago. The relay keeps
 * that version on the workload: on the pod template since its last restart, before that on the workload's own metadata.
 * Equal to the notice's version: nothing to do. Different: the restart is due.
 *
 * Two kinds of workload run with the notice's version although no record says so: one that is younger than the data,
 * and one without any record when the Secret was created. Then the version is recorded, so that a Secret which is
 * deleted and recreated later can be compared with it.
 */
export function planRestart(question: RestartQuestion): RestartPlan {
  const { kind, workload, secretName, notice, now } = question;
  const { metadata = {}, spec = {} } = workload;
  const stamps = (kind === "Rollout" ? metadata : spec.template?.metadata)?.annotations ?? {};
  const stamp = stamps[restartedFor(secretName)];
  const runsWith = stamp ?? metadata.annotations?.[restartedFor(secretName)];
  if (runsWith === notice.versionId) return { kind: "already" };
  // Whole seconds, rounded down: when in doubt it counts as older, and is restarted.
  const isYounger = Date.parse(metadata.creationTimestamp ?? "") > notice.changedAt;
  if (isYounger || (notice.isFirst && runsWith === undefined)) {
    // A stamp outranks what metadata says, and a workload that goes away needs no record.
    const isRecordable = stamp === undefined && metadata.deletionTimestamp === undefined;
    return isRecordable ? { kind: "record", patch: recordFor(question) } : { kind: "already" };
  }
  if (notice.impliedBy !== undefined) return { kind: "already" };

  if (metadata.deletionTimestamp !== undefined) return { kind: "skip", code: "WORKLOAD_BEING_DELETED" };
  if (spec.paused === true) return { kind: "skip", code: "WORKLOAD_PAUSED" };
  if (spec.updateStrategy?.type === "OnDelete") return { kind: "skip", code: "WORKLOAD_UPDATES_ON_DELETE" };
  const sinceLastMs = now - Date.parse(stamps[RESTARTED_AT] ?? "");
  if (sinceLastMs < question.minimumIntervalSeconds * 1_000)
    return { kind: "skip", code: "RESTART_TOO_SOON" };
  return { kind: "restart", patch: restartFor(question) };
}

/**
 * The merge patch. Not a server-side apply: that would make a workload which is not there (and ask for the right to),
 * and would drop the stamp of one Secret when it sets another's, since each apply says all that its manager wants.
 *
 * With the resourceVersion in it, it holds only if nobody changed the workload since we looked: two invocations that
 * both found the restart due make one.
 */
function restartFor({ kind, workload, secretName, notice, now }: RestartQuestion): object {
  const at = new Date(now).toISOString();
  const annotations = { [restartedFor(secretName)]: notice.versionId, [RESTARTED_AT]: at };
  const fence = { resourceVersion: workload.metadata?.resourceVersion };
  // A Rollout replaces the pods older than restartAt; a changed template would start a canary instead.
  return kind === "Rollout"
    ? { metadata: { ...fence, annotations }, spec: { restartAt: `${at.slice(0, 19)}Z` } }
    : { metadata: fence, spec: { template: { metadata: { annotations } } } };
}

/** A Deployment's own annotations are no part of its pod template, so this starts no rollout. The same fence. */
function recordFor({ workload, secretName, notice }: RestartQuestion): object {
  const annotations = { [restartedFor(secretName)]: notice.versionId };
  return { metadata: { resourceVersion: workload.metadata?.resourceVersion, annotations } };
}
