import type { TargetRow } from "../../shared/sweep/target-row.ts";

export const nameOfRow = ({ cluster, namespace, name }: Pick<TargetRow, "cluster" | "namespace" | "name">) =>
  `${cluster}/${namespace}/${name}`;

/**
 * Nothing to write, delete, or look at. FOREIGN_KEYS, VERSION_DEPRECATED and an ORPHAN that stays are shown and count
 * as in order: the relay has nothing to do there, now or later.
 */
export const isInOrder = ({ action, deleteAfter }: TargetRow): boolean =>
  action === "none" && deleteAfter === undefined;

/** Worth a line: everything that is not in order, and findings that need no action. */
export const isNotable = (row: TargetRow): boolean => !isInOrder(row) || row.finding !== null;

export const isChange = ({ action }: TargetRow): boolean =>
  action === "create" || action === "update" || action === "replace" || action === "delete";

/** Of help texts: what `isInOrder` says. */
export const IN_ORDER_HELP =
  "A Secret is in order when the relay has nothing to write or delete there, also not later. FOREIGN_KEYS, VERSION_DEPRECATED and an ORPHAN that stays are shown and count as in order.";

/** The worst first; of two stale ones, the one whose source changed longer ago. */
export function worstFirst(one: TargetRow, other: TargetRow): number {
  const byRank = rankOf(one) - rankOf(other);
  if (byRank !== 0) return byRank;
  const byAge = (one.sourceChangedAt ?? "").localeCompare(other.sourceChangedAt ?? "");
  if (one.finding === "STALE" && byAge !== 0) return byAge;
  return byName(one, other);
}

export const byName = (one: TargetRow, other: TargetRow): number =>
  nameOfRow(one).localeCompare(nameOfRow(other));

function rankOf(row: TargetRow): number {
  if (row.action === "refuse") return 1;
  if (row.action === "unknown") return 3;
  if (row.finding === "STALE" || row.finding === "MISSING") return 0;
  if (!isInOrder(row)) return 2;
  return row.finding === null ? 5 : 4;
}

/** `STALE`, `HELD`, `CLUSTER_UNAVAILABLE`: the word for a row in a table. */
export function stateOf({ finding, action, code }: TargetRow): string {
  if (action === "unknown") return "unknown";
  if (code === "HELD" || code === "CONTESTED") return code;
  return finding ?? (action === "none" ? "in order" : (code ?? action));
}
