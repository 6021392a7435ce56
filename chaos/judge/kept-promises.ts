import type { Move } from "../ledger.ts";

/** A successful invocation for one source and one of its targets. */
export type Success = {
  readonly startedAt: number;
  readonly endedAt: number;
  /** How old an answer about the source it may have been given: 0 where none was. */
  readonly behindMs: number;
};

/** What a target held of a source from some moment on, until the next one; undefined for anything but a version of it. */
export type Held = { readonly versionId: string | undefined; readonly from: Span };

/** A moment that is known, or lies between two that are. */
export type Span = { readonly earliest: number; readonly latest: number };

/**
 * Successes while which the target did at no moment hold a version that was current then. Pure. Who was given an old
 * answer can do no better, so what was current so long before is as good for it. That it held one earlier is not enough: after
 * a rollback that would be true of an invocation that did nothing.
 */
export function findBrokenPromises(
  moves: readonly Move[],
  held: readonly Held[],
  successes: readonly Success[],
): Success[] {
  return successes.filter(({ startedAt, endedAt, behindMs }) => {
    const goodVersions = new Set(
      moves
        .filter((move, index) => {
          const replacedAt = moves[index + 1]?.endedAt ?? Number.POSITIVE_INFINITY;
          return move.startedAt <= endedAt && replacedAt >= startedAt - behindMs;
        })
        .map(({ versionId }) => versionId),
    );
    return !held.some(({ versionId, from }, index) => {
      const until = held[index + 1]?.from.latest ?? Number.POSITIVE_INFINITY;
      const isMeanwhile = from.earliest <= endedAt && until >= startedAt;
      return isMeanwhile && versionId !== undefined && goodVersions.has(versionId);
    });
  });
}
