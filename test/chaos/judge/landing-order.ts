import type { Move } from "../expected-state.ts";

/** A state of a Secret that holds a value of its source, as the API server recorded it. */
export type Landing = {
  readonly versionId: string;
  /** The life of the object: a deletion ends it. */
  readonly uid: string;
  /** When the write was accepted. */
  readonly at: number;
};

export type Disorder = {
  readonly landing: Landing;
  /** The move that the Secret had reached before. */
  readonly after: number;
  /** `older`: it was current only before that move. `early`: it was not current yet. */
  readonly why: "older" | "early";
};

/**
 * Finds older values that landed after newer ones. Pure. Only the moves of AWSCURRENT order versions, and a rollback
 * brings an old version back. So each landing is matched with the first move that names its version, is not before the
 * move that the Secret had reached, and had begun. If there is none, the landing was out of order. A deletion takes
 * the fence with it (docs/internals/fence-model.md), so each life of the object is checked separately.
 */
export function findDisorder(moves: readonly Move[], landings: readonly Landing[]): Disorder[] {
  const disorder: Disorder[] = [];
  const reached = new Map<string, number>();
  for (const landing of landings) {
    const from = reached.get(landing.uid) ?? 0;
    const isOfVersion = ({ versionId }: Move, index: number) =>
      index >= from && versionId === landing.versionId;
    const at = moves.findIndex((move, index) => isOfVersion(move, index) && move.startedAt <= landing.at);
    if (at >= 0) reached.set(landing.uid, at);
    else disorder.push({ landing, after: from, why: moves.some(isOfVersion) ? "early" : "older" });
  }
  return disorder;
}
