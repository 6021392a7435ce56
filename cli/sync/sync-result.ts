import { keyChanges } from "../../shared/assess/changes.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { RelayMetadata } from "../../shared/bindings/relay-identity.ts";
import { rowOf, type TargetRow } from "../../shared/sweep/target-row.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";

/** The content of a Secret according to its annotations; `null` if it does not exist. */
export type SecretContent =
  | { readonly versionId?: string; readonly writtenAt?: string }
  /** The error code of a failed read. */
  | { readonly unknown: string }
  | null;

/** The row of every command, with the outcome and the content before and after. */
export type SyncRow = Omit<TargetRow, "outcome"> & {
  readonly outcome: SyncOutcome["kind"];
  readonly before: SecretContent;
  readonly after: SecretContent;
  /** It does not have the current version, or neither version could be observed. */
  readonly stale: boolean;
};

/** The Secret has the current version, and no restart of a workload failed. */
export function isDone({ outcome, stale, restarts = [] }: SyncRow): boolean {
  const isSynced = outcome === "written" || outcome === "unchanged";
  return isSynced && !stale && restarts.every((restart) => restart.outcome !== "failed");
}

function contentOf(row: TargetRow | undefined): SecretContent {
  if (row === undefined) return { unknown: "NOT_OBSERVED" };
  const { versionId, writtenAt, action, code = "", finding } = row;
  if (versionId === undefined && action === "unknown") return { unknown: code };
  if (finding === "MISSING") return null;
  return { ...(versionId !== undefined && { versionId }), ...(writtenAt !== undefined && { writtenAt }) };
}

/** The verdict of the sync counts, because it read the values, and later than the first observation. */
export function syncRow(
  binding: Binding,
  outcome: SyncOutcome,
  { before, after, ownMetadata }: { before: TargetRow; after: TargetRow; ownMetadata: RelayMetadata },
): SyncRow {
  const { kind, verdict, restarts, nudge, eventFailure } = outcome;
  const decided = verdict === undefined ? before : rowOf({ verdict, binding }, ownMetadata);
  const { code: _code, advice: _advice, ...rest } = decided;
  return {
    ...rest,
    ...observedIn(after),
    outcome: kind,
    ...("code" in outcome && { code: outcome.code, advice: outcome.advice }),
    ...(outcome.kind === "written" && { changes: keyChanges(outcome.changes) }),
    ...(restarts && { restarts }),
    ...(nudge && { nudge }),
    ...(eventFailure !== undefined && { eventFailure }),
    ...compareObservations(before, after, "versionId" in outcome ? outcome.versionId : undefined),
  };
}

export function observedIn({ versionId, writtenAt, currentVersionId, sourceChangedAt }: TargetRow) {
  return {
    ...(versionId !== undefined && { versionId }),
    ...(writtenAt !== undefined && { writtenAt }),
    ...(currentVersionId !== undefined && { currentVersionId }),
    ...(sourceChangedAt !== undefined && { sourceChangedAt }),
  };
}

/**
 * Compares the Secret and its source after the sync. If one of them cannot be observed, the version that the sync reported
 * replaces it.
 */
export function compareObservations(
  before: TargetRow | undefined,
  after: TargetRow | undefined,
  reportedVersionId: string | undefined,
): Pick<SyncRow, "before" | "after" | "stale"> {
  const content = contentOf(after);
  const isGone = after?.finding === "SOURCE_MISSING" || after?.finding === "SOURCE_SCHEDULED_FOR_DELETION";
  const current = after?.currentVersionId ?? (isGone ? undefined : reportedVersionId);
  const version = content !== null && "unknown" in content ? reportedVersionId : content?.versionId;
  return { before: contentOf(before), after: content, stale: version === undefined || version !== current };
}
