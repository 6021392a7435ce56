import type { Move } from "../expected-state.ts";

/** A successful invocation for one source and one of its targets. */
export type Success = {
  readonly startedAt: number;
  readonly endedAt: number;
  /** How old a response about the source the invocation may have received: 0 if none was stale. */
  readonly behindMs: number;
};

/**
 * The version of a source that a target held from some moment until the next; undefined for anything but a version of
 * that source.
 */
export type Held = { readonly versionId: string | undefined; readonly from: Span };

/** A known moment, or one between two known moments. */
export type Span = { readonly earliest: number; readonly latest: number };

/**
 * Successful invocations during which the target never held a version that was current at that time. Pure. An
 * invocation that received a stale response can do no better, so a version that was current that long before also
 * counts. That the target held such a version earlier is not enough: after a rollback this would be true of an
 * invocation that did nothing.
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
