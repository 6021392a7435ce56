import type { Move } from "../expected-state.ts";

/**
 * Restarts for a version that had not become current again since the restart before. Pure. Each restart takes the first
 * move to its version that is later than the move of the restart before: a version that was rolled back to may restart
 * a workload again, and a superseded one may not.
 */
export function findRepeats<R extends { readonly at: number; readonly versionId: string }>(
  moves: readonly Pick<Move, "versionId" | "startedAt">[],
  restarts: readonly R[],
): R[] {
  let next = 0;
  return restarts.filter(({ at, versionId }) => {
    const index = moves.findIndex(
      (move, place) => place >= next && move.versionId === versionId && move.startedAt <= at,
    );
    if (index === -1) return true;
    next = index + 1;
    return false;
  });
}
