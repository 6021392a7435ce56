import { keyChanges } from "../../shared/assess/changes.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { RelayMarks } from "../../shared/identity/relay-identity.ts";
import { rowOf, type TargetRow } from "../../shared/sweep/target-row.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";

/** What a Secret holds, as its annotations say; `null` when it does not exist. */
export type Held =
  | { readonly versionId?: string; readonly writtenAt?: string }
  /** The code of why it could not be read. */
  | { readonly unknown: string }
  | null;

/** The row of every command, with what was done, and what was there before and after. */
export type SyncRow = Omit<TargetRow, "outcome"> & {
  readonly outcome: SyncOutcome["kind"];
  readonly before: Held;
  readonly after: Held;
  /** It does not hold the version that is current, or neither could be observed. */
  readonly stale: boolean;
};

/** The Secret holds what is current, nothing was refused, and no workload must be restarted by hand. */
export function isDone({ outcome, stale, restarts = [] }: SyncRow): boolean {
  const isSynced = outcome === "written" || outcome === "unchanged";
  return isSynced && !stale && restarts.every((restart) => restart.outcome !== "failed");
}

export function heldBy(row: TargetRow | undefined): Held {
  if (row === undefined) return { unknown: "NOT_OBSERVED" };
  const { versionId, writtenAt, action, code = "", finding } = row;
  if (versionId === undefined && action === "unknown") return { unknown: code };
  if (finding === "MISSING") return null;
  return { ...(versionId !== undefined && { versionId }), ...(writtenAt !== undefined && { writtenAt }) };
}

/** The verdict that the sync itself decided upon counts: it read the values, and read them later. */
export function syncRow(
  binding: Binding,
  outcome: SyncOutcome,
  { before, after, marks }: { before: TargetRow; after: TargetRow; marks: RelayMarks },
): SyncRow {
  const { kind, verdict, restarts, nudge, eventFailure } = outcome;
  const decided = verdict === undefined ? before : rowOf({ verdict, binding }, marks);
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
    ...seenRound(before, after, "versionId" in outcome ? outcome.versionId : undefined),
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
 * Judged by what the cluster and Secrets Manager say afterwards, not by what the sync reports. Where one of them could
 * not be observed, the version that the sync reports stands in for it.
 */
export function seenRound(
  before: TargetRow | undefined,
  after: TargetRow | undefined,
  reportedVersionId: string | undefined,
): Pick<SyncRow, "before" | "after" | "stale"> {
  const held = heldBy(after);
  const isGone = after?.finding === "SOURCE_MISSING" || after?.finding === "SOURCE_SCHEDULED_FOR_DELETION";
  const current = after?.currentVersionId ?? (isGone ? undefined : reportedVersionId);
  const holds = held !== null && "unknown" in held ? reportedVersionId : held?.versionId;
  return { before: heldBy(before), after: held, stale: holds === undefined || holds !== current };
}
