import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import type { SecretChange } from "../../shared/events/secret-change.ts";
import type { TriggerOutcome } from "../../shared/external-secrets/outcome.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import type { RotationDependencies } from "./dependencies.ts";

export type AnnouncedChange = {
  /** Absent if a call names only a webhook id. */
  readonly change?: SecretChange;
  readonly webhookIds: readonly string[];
  readonly self: AwsLocation;
  /** Lambda's request id, which is the same in a retry. */
  readonly requestId: string;
};

/**
 * Trigger mode: in every cluster with `externalSecrets` in the bindings, makes ESO refresh the objects that read the
 * source. Only PushSecrets of synced Secrets wait for the sync.
 */
export async function triggerChange(
  deps: Pick<RotationDependencies, "trigger" | "log">,
  { clusters }: BindingIndex,
  { change, webhookIds, self, requestId }: AnnouncedChange,
  synced: Promise<readonly SyncOutcome[]>,
  budget: TimeBudget,
): Promise<readonly TriggerOutcome[]> {
  const rules = Object.fromEntries(
    Object.entries(clusters).flatMap(([key, { externalSecrets }]) =>
      externalSecrets === undefined ? [] : [[key, externalSecrets]],
    ),
  );
  // A secret that is scheduled for deletion cannot be read: ESO would fail now instead of at its next interval.
  if (Object.keys(rules).length === 0 || change?.reason === "delete-secret") return [];
  const source = change?.source;
  const stamp = { versionId: change?.versionId ?? "unknown", eventId: change?.eventId ?? requestId };
  const sourceChange = { ...(source && { source }), webhookIds, self };
  const outcomes = await deps.trigger(
    { rules, change: sourceChange, stamp, written: writtenOf(synced) },
    budget,
  );
  if (outcomes.length === 0)
    deps.log("EXTERNAL_SECRETS_UNCONCERNED", { ...(source && { source: source.id }) });
  return outcomes;
}

/** Includes unchanged targets: a retry finds them already written, but perhaps not pushed. */
async function writtenOf(synced: Promise<readonly SyncOutcome[]>): Promise<readonly TargetRef[]> {
  const outcomes = await synced;
  return outcomes.flatMap(({ kind, target }) => (kind === "written" || kind === "unchanged" ? [target] : []));
}
