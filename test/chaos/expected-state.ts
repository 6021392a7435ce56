/** One move of AWSCURRENT. A version that occurs twice was rolled back to. */
export type Move = {
  readonly versionId: string;
  /** Current from here at the earliest, and at the latest until `endedAt` of the next move; ms since the epoch. */
  readonly startedAt: number;
  endedAt: number;
};

export type Source = {
  readonly name: string;
  readonly moves: Move[];
  readonly passwords: Map<string, string>;
  /** Versions that have one more key, `extra`. */
  readonly extended: Set<string>;
  /** From when until when it was deleted; the last period may be open. */
  readonly gone: { readonly from: number; until: number }[];
  /** It was recreated and has no value yet. */
  isEmpty: boolean;
  /** How many of its moves belong to earlier sources with that name. */
  movesBefore: number;
};

export const EXTRA = { key: "extra", value: "of some sources" } as const;

/** Whether it was deleted at any moment of that period. */
export function wasGone({ gone }: Source, from: number, until: number): boolean {
  return gone.some((span) => span.from <= until && span.until >= from);
}

/** Whether it had no value at any moment of that period: deleted, or recreated and not filled yet. */
export function lackedValue({ gone, moves }: Source, from: number, until: number): boolean {
  return gone.some((span) => {
    const filled = moves.find(({ startedAt }) => startedAt > span.from);
    return span.from <= until && (filled?.endedAt ?? Number.POSITIVE_INFINITY) >= from;
  });
}

/** It is deleted now. */
export function isGone({ gone }: Source): boolean {
  return gone.at(-1)?.until === Number.POSITIVE_INFINITY;
}

/** Which version of a source a target takes: the one under a staging label, or always the first. */
export type Taken = "AWSCURRENT" | "AWSPREVIOUS" | "pinned";

/** The versions that a target takes, in order. AWSPREVIOUS moves to the version that AWSCURRENT leaves. */
export function movesOf({ moves }: Source, taken: Taken): readonly Move[] {
  if (taken === "AWSCURRENT") return moves;
  if (taken === "pinned") return moves.slice(0, 1);
  return moves.slice(1).map((move, index) => ({ ...move, versionId: moves[index]?.versionId ?? "" }));
}

/**
 * Which versions became current, when and in which order: the reference for the judges. Written before any call to
 * AWS.
 */
export class ExpectedState {
  readonly sources = new Map<string, Source>();

  add(name: string): Source {
    const source: Source = {
      name,
      moves: [],
      passwords: new Map(),
      extended: new Set(),
      gone: [],
      isEmpty: false,
      movesBefore: 0,
    };
    this.sources.set(name, source);
    return source;
  }

  get(name: string): Source {
    const source = this.sources.get(name);
    if (source === undefined) throw new TypeError(`Unknown source ${name}`);
    return source;
  }

  currentOf({ moves }: Source): Move {
    const move = moves.at(-1);
    if (move === undefined) throw new TypeError("A source without a version");
    return move;
  }
}
