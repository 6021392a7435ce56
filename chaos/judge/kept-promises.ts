import type { Move } from "../ledger.ts";

/** A successful invocation for one source and one of its targets. */
export type Success = { readonly startedAt: number; readonly endedAt: number };

/** A version that a target has held, from then on or for a while. */
export type Held = { readonly versionId: string; readonly at: number };

/**
 * Successes after which the target had never held a version that was current when the invocation began, or later.
 * Pure. `staleMs` is what AWS may be behind, so a version that was current so long before is as good.
 */
export function findBrokenPromises(
  moves: readonly Move[],
  held: readonly Held[],
  successes: readonly Success[],
  staleMs: number,
): Success[] {
  return successes.filter(({ startedAt, endedAt }) => {
    const goodVersions = new Set(
      moves
        .filter((_move, index) => {
          const replaced = moves[index + 1]?.endedAt ?? Number.POSITIVE_INFINITY;
          return replaced >= startedAt - staleMs;
        })
        .map(({ versionId }) => versionId),
    );
    return !held.some(({ versionId, at }) => at <= endedAt && goodVersions.has(versionId));
  });
}
