import type { WorkloadKind } from "../bindings/binding.ts";
import type { Notice } from "./notice.ts";
import type { SkipCode } from "./outcome.ts";
import { RESTARTED_AT, restartedFor } from "./stamps.ts";
import type { RawObject } from "./workload.ts";

export type RestartPlan =
  /** A merge patch; it holds the resourceVersion that was looked at. */
  | { readonly kind: "restart"; readonly patch: object }
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
 * The stamp on the workload is the memory: equal to the notice's version, and the restart was made, by us or by
 * another invocation; anything else, and it is due. Two cases need no restart though no stamp says so: the workload is
 * younger than the value, and the value is the first that the Secret ever had.
 */
export function planRestart(question: RestartQuestion): RestartPlan {
  const { kind, workload, secretName, notice, now } = question;
  const { metadata = {}, spec = {} } = workload;
  const stamps = (kind === "Rollout" ? metadata : spec.template?.metadata)?.annotations ?? {};
  const stamp = stamps[restartedFor(secretName)];
  if (stamp === notice.versionId) return { kind: "already" };
  if (stamp === undefined && notice.isFirst) return { kind: "already" };
  // Whole seconds, rounded down: when in doubt it counts as older, and is restarted.
  if (Date.parse(metadata.creationTimestamp ?? "") > notice.changedAt) return { kind: "already" };

  if (metadata.deletionTimestamp !== undefined) return { kind: "skip", code: "WORKLOAD_BEING_DELETED" };
  if (spec.paused === true) return { kind: "skip", code: "WORKLOAD_PAUSED" };
  if (spec.updateStrategy?.type === "OnDelete") return { kind: "skip", code: "WORKLOAD_UPDATES_ON_DELETE" };
  const sinceLastMs = now - Date.parse(stamps[RESTARTED_AT] ?? "");
  if (sinceLastMs < question.minimumIntervalSeconds * 1_000)
    return { kind: "skip", code: "RESTART_TOO_SOON" };
  return { kind: "restart", patch: patchFor(question) };
}

/**
 * The merge patch. Not a server-side apply: that would make a workload which is not there (and ask for the right to),
 * and would drop the stamp of one Secret when it sets another's, since each apply says all that its manager wants.
 *
 * With the resourceVersion in it, it holds only if nobody changed the workload since we looked: two invocations that
 * both found the restart due make one.
 */
function patchFor({ kind, workload, secretName, notice, now }: RestartQuestion): object {
  const at = new Date(now).toISOString();
  const annotations = { [restartedFor(secretName)]: notice.versionId, [RESTARTED_AT]: at };
  const fence = { resourceVersion: workload.metadata?.resourceVersion };
  // A Rollout replaces the pods older than restartAt; a changed template would start a canary instead.
  return kind === "Rollout"
    ? { metadata: { ...fence, annotations }, spec: { restartAt: `${at.slice(0, 19)}Z` } }
    : { metadata: fence, spec: { template: { metadata: { annotations } } } };
}
