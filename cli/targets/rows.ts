import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { isUnfinished, type RestartOutcome } from "../../shared/workloads/outcome.ts";

/**
 * The relay has nothing to do, now or later, and all Pods that it knows of run with the value. That includes FOREIGN_KEYS, VERSION_DEPRECATED and
 * an ORPHAN that stays, although they are shown.
 */
export const isInOrder = ({ action, deleteAfter, finding }: TargetRow): boolean =>
  action === "none" &&
  deleteAfter === undefined &&
  finding !== "ROLLOUT_STUCK" &&
  finding !== "PODS_OUTDATED";

/** Not in order, or with a finding or a restart to show. */
export const isNotable = (row: TargetRow): boolean =>
  !isInOrder(row) ||
  row.finding !== null ||
  (row.restarts ?? []).some(isUnderWay) ||
  row.podsUnknown !== undefined;

const isUnderWay = (restart: RestartOutcome): boolean =>
  restart.outcome === "restarted" || isUnfinished(restart);

export const isChange = ({ action }: TargetRow): boolean =>
  action === "create" || action === "update" || action === "replace" || action === "delete";

/** Explains `isInOrder` in the help. */
export const IN_ORDER_HELP =
  "A Secret is in order if the relay has nothing to write or delete, now or later. FOREIGN_KEYS, VERSION_DEPRECATED and an ORPHAN that stays are listed, but count as in order.";

/** Of two stale Secrets, the one whose source changed earlier comes first. */
export function worstFirst(one: TargetRow, other: TargetRow): number {
  const byRank = rankOf(one) - rankOf(other);
  if (byRank !== 0) return byRank;
  const byAge = (one.sourceChangedAt ?? "").localeCompare(other.sourceChangedAt ?? "");
  if (one.finding === "STALE" && byAge !== 0) return byAge;
  return byName(one, other);
}

export const byName = (one: TargetRow, other: TargetRow): number =>
  nameOfTarget(one).localeCompare(nameOfTarget(other));

function rankOf(row: TargetRow): number {
  if (row.action === "refuse") return 1;
  if (row.action === "unknown") return 3;
  if (row.finding === "STALE" || row.finding === "MISSING") return 0;
  if (!isInOrder(row)) return 2;
  return isNotable(row) ? 4 : 5;
}

/** The state of a row in a table: `STALE`, `HELD`, `CLUSTER_UNAVAILABLE`. */
export function stateOf({ finding, action, code }: TargetRow): string {
  if (action === "unknown") return "unknown";
  if (code === "HELD" || code === "CONTESTED") return code;
  return finding ?? (action === "none" ? "in order" : (code ?? action));
}
