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
  deletedAt?: number;
};

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
    const source: Source = { name, moves: [], passwords: new Map() };
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
