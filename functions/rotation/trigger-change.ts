import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import type { SecretChange } from "../../shared/events/secret-change.ts";
import type { TriggerOutcome } from "../../shared/external-secrets/outcome.ts";
import { firstAbortOf } from "../../shared/runtime/first-abort.ts";
import { waitFor } from "../../shared/runtime/retry.ts";
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

/** The writes of Secrets of the whole invocation, with those of the announced change apart. */
export type DirectWrites = {
  readonly ofChange: Promise<readonly SyncOutcome[]>;
  readonly all: readonly Promise<unknown>[];
};

/**
 * Trigger mode: in every cluster with `externalSecrets` in the bindings, makes ESO refresh the objects that read the
 * source. It starts after the writes of the invocation, because authors of ExternalSecrets decide how much there is to
 * list and match; but soon if a write takes long, such as to a cluster that is down. PushSecrets of written Secrets wait
 * for the writes of the change.
 */
export async function triggerChange(
  deps: Pick<RotationDependencies, "trigger" | "log">,
  { clusters }: BindingIndex,
  { change, webhookIds, self, requestId }: AnnouncedChange,
  { ofChange, all }: DirectWrites,
  budget: TimeBudget,
): Promise<readonly TriggerOutcome[]> {
  const rules = Object.fromEntries(
    Object.entries(clusters).flatMap(([key, { externalSecrets }]) =>
      externalSecrets === undefined ? [] : [[key, externalSecrets]],
    ),
  );
  // A secret that is scheduled for deletion cannot be read: ESO would fail now instead of at its next interval.
  if (Object.keys(rules).length === 0 || change?.reason === "delete-secret") return [];
  await Promise.resolve(); // all events of the invocation have started their writes
  await waitPatiently(all, budget);
  const source = change?.source;
  const stamp = { versionId: change?.versionId ?? "unknown", eventId: change?.eventId ?? requestId };
  const sourceChange = { ...(source && { source }), webhookIds, self };
  const outcomes = await deps.trigger(
    { rules, change: sourceChange, stamp, written: writtenOf(ofChange) },
    budget,
  );
  if (outcomes.length === 0)
    deps.log("EXTERNAL_SECRETS_UNCONCERNED", { ...(source && { source: source.id }) });
  return outcomes;
}

/** Until all have ended, but not for long. */
export async function waitPatiently(
  works: readonly Promise<unknown>[],
  { signal }: TimeBudget,
): Promise<void> {
  if (works.length === 0) return;
  const settled = new AbortController();
  const patience = waitFor(PATIENCE_MS, firstAbortOf(signal, settled.signal));
  await Promise.race([Promise.allSettled(works), patience]);
  settled.abort();
}

/** A healthy write takes about 20 ms, and the first one of a function 100 ms. */
const PATIENCE_MS = 2_000;

/** Includes unchanged targets: a retry finds them already written, but perhaps not pushed. */
async function writtenOf(synced: Promise<readonly SyncOutcome[]>): Promise<readonly TargetRef[]> {
  const outcomes = await synced;
  return outcomes.flatMap(({ kind, target }) => (kind === "written" || kind === "unchanged" ? [target] : []));
}
