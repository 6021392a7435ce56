import type { TargetRef } from "../../shared/bindings/binding.ts";
import { ANNOTATIONS } from "../../shared/render/ownership-marks.ts";
import type { SourceState } from "../../shared/source/source-state.ts";
import type { RestartOutcome } from "../../shared/workloads/outcome.ts";
import type { TargetSight } from "../live/sight.ts";

/** What a target holds, as it is noted there; `null` when it is not there. */
export type Held =
  | { readonly versionId?: string; readonly writtenAt?: string }
  /** We could not look; whoever did the sync may have been able to. */
  | { readonly unseen: string }
  | null;

/** What became of one target, with what was seen before and after. */
export type SyncResult = {
  readonly target: TargetRef;
  readonly source: string;
  /** `written`, `unchanged`, `refused` or `failed`. */
  readonly outcome: string;
  readonly before: Held;
  readonly after: Held;
  /** The version under AWSCURRENT after the sync; `null` when neither we nor the sync could tell. */
  readonly currentVersionId: string | null;
  readonly stale: boolean;
  readonly code?: string;
  readonly advice?: string;
  readonly restarts?: readonly RestartOutcome[];
};

/** Done: the target holds what is current, nothing was refused, and nobody has to be restarted by hand. */
export function isDone({ outcome, stale, restarts = [] }: SyncResult): boolean {
  const isSynced = outcome === "written" || outcome === "unchanged";
  return isSynced && !stale && restarts.every((restart) => restart.outcome !== "failed");
}

export function heldBy(target: TargetSight): Held {
  if (target.kind === "absent") return null;
  if (target.kind === "unseen") return { unseen: target.code };
  const { [ANNOTATIONS.versionId]: versionId, [ANNOTATIONS.writtenAt]: writtenAt } = target.live.annotations;
  return { ...(versionId !== undefined && { versionId }), ...(writtenAt !== undefined && { writtenAt }) };
}

/**
 * Judged by what the cluster and Secrets Manager say afterwards, not by what the sync says that it did. Where one of
 * them could not be asked, the version that the sync reports stands in for it.
 */
export function staleness(
  source: SourceState | undefined,
  after: Held,
  reportedVersionId: string | undefined,
): Pick<SyncResult, "currentVersionId" | "stale"> {
  const current = source?.kind === "current" ? source.versionId : undefined;
  const isGone = source?.kind === "missing" || source?.kind === "scheduled-for-deletion";
  const currentVersionId = current ?? (isGone ? undefined : reportedVersionId);
  const held = after !== null && "unseen" in after ? reportedVersionId : after?.versionId;
  return {
    currentVersionId: currentVersionId ?? null,
    stale: held === undefined || held !== currentVersionId,
  };
}
