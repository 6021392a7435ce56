/** One move of AWSCURRENT. Where a version comes twice, somebody rolled back. */
export type Move = {
  readonly versionId: string;
  /** Not current before this, and not longer than until `endedAt` of the next one; ms since the epoch. */
  readonly startedAt: number;
  endedAt: number;
};

export type Source = {
  readonly name: string;
  readonly moves: Move[];
  /** What each version holds. */
  readonly passwords: Map<string, string>;
  /** Versions that have one key more, `extra`. */
  readonly extended: Set<string>;
  /** From when until when it was deleted; the last one may not have ended. */
  readonly gone: { readonly from: number; until: number }[];
  /** It was created again and has no value yet. */
  isEmpty: boolean;
  /** How many of its moves belong to earlier sources of that name. */
  movesBefore: number;
};

export const EXTRA = { key: "extra", value: "of some sources" } as const;

/** Whether it was deleted at any moment of that time. */
export function wasGone({ gone }: Source, from: number, until: number): boolean {
  return gone.some((span) => span.from <= until && span.until >= from);
}

/** Whether it had no value at any moment of that time: deleted, or created again and not filled yet. */
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

/** Which version a target takes of a source: what a staging label names, or the first one for good. */
export type Taken = "AWSCURRENT" | "AWSPREVIOUS" | "pinned";

/** What is taken, one version after the other. AWSPREVIOUS goes to the version that AWSCURRENT leaves. */
export function movesOf({ moves }: Source, taken: Taken): readonly Move[] {
  if (taken === "AWSCURRENT") return moves;
  if (taken === "pinned") return moves.slice(0, 1);
  return moves.slice(1).map((move, index) => ({ ...move, versionId: moves[index]?.versionId ?? "" }));
}

/** What became current, when and in which order: what the judges go by. Written before anything is asked of AWS. */
export class Ledger {
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
    if (source === undefined) throw new TypeError(`There is no source ${name}`);
    return source;
  }

  /** The one under AWSCURRENT. */
  currentOf({ moves }: Source): Move {
    const move = moves.at(-1);
    if (move === undefined) throw new TypeError("A source without a version");
    return move;
  }
}
