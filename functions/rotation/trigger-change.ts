import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import type { SecretChange } from "../../shared/events/secret-change.ts";
import type { TriggerOutcome } from "../../shared/external-secrets/outcome.ts";
import type { SecretHome } from "../../shared/secret-id/secret-id.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { RotationDependencies } from "./dependencies.ts";

export type ChangeToTell = {
  /** None when a call names nothing but a webhook id. */
  readonly change?: SecretChange;
  readonly webhookIds: readonly string[];
  readonly self: SecretHome;
  /** Of Lambda; a retry of the invocation has the same. */
  readonly requestId: string;
};

/**
 * Trigger mode: in every cluster whose entry says `externalSecrets`, makes ESO refresh what reads the source. It does not
 * wait for the sync, except where PushSecrets push on what the sync writes.
 */
export async function triggerChange(
  deps: Pick<RotationDependencies, "trigger" | "log">,
  { clusters }: BindingIndex,
  { change, webhookIds, self, requestId }: ChangeToTell,
  synced: Promise<readonly SyncOutcome[]>,
  budget: TimeBudget,
): Promise<readonly TriggerOutcome[]> {
  const rules = Object.fromEntries(
    Object.entries(clusters).flatMap(([key, { externalSecrets }]) =>
      externalSecrets === undefined ? [] : [[key, externalSecrets]],
    ),
  );
  // A secret that is scheduled for deletion has nothing to read: ESO would fail at once and not at its next interval.
  if (Object.keys(rules).length === 0 || change?.reason === "delete-secret") return [];
  const source = change?.source;
  const stamp = { versionId: change?.versionId ?? "unknown", eventId: change?.eventId ?? requestId };
  const told = { ...(source && { source }), webhookIds, self };
  const outcomes = await deps.trigger({ rules, change: told, stamp, written: writtenOf(synced) }, budget);
  if (outcomes.length === 0)
    deps.log("EXTERNAL_SECRETS_UNCONCERNED", { ...(source && { source: source.id }) });
  return outcomes;
}

/** A repeated invocation finds written what the first one wrote, and the PushSecret may still not know. */
async function writtenOf(synced: Promise<readonly SyncOutcome[]>): Promise<readonly TargetRef[]> {
  const outcomes = await synced;
  return outcomes.flatMap(({ kind, target }) => (kind === "written" || kind === "unchanged" ? [target] : []));
}
