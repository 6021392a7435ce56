import type { Span } from "./kept-promises.ts";

/**
 * When the API servers accepted each write. A write whose response was lost, because its server was killed, was
 * accepted between its neighbours in the server's order.
 */
export class AcceptedWrites {
  readonly #byCluster = new Map<string, Map<number, number>>();
  readonly #sorted = new Map<string, readonly (readonly [revision: number, at: number])[]>();

  /** A write that changes nothing is answered with the previous resourceVersion. */
  note(cluster: string, resourceVersion: string, at: number): void {
    if (this.isKnown(cluster, resourceVersion)) return;
    const known = this.#byCluster.get(cluster) ?? new Map<number, number>();
    this.#byCluster.set(cluster, known.set(Number(resourceVersion), at));
    this.#sorted.delete(cluster);
  }

  isKnown(cluster: string, resourceVersion: string): boolean {
    return this.#byCluster.get(cluster)?.has(Number(resourceVersion)) ?? false;
  }

  when(cluster: string, resourceVersion: string): Span {
    const revision = Number(resourceVersion);
    const at = this.#byCluster.get(cluster)?.get(revision);
    if (at !== undefined) return { earliest: at, latest: at };
    const sorted = this.#inOrder(cluster);
    const before = sorted.findLast(([other]) => other < revision);
    const after = sorted.find(([other]) => other > revision);
    return {
      earliest: before?.[1] ?? Number.NEGATIVE_INFINITY,
      latest: after?.[1] ?? Number.POSITIVE_INFINITY,
    };
  }

  #inOrder(cluster: string): readonly (readonly [number, number])[] {
    const known =
      this.#sorted.get(cluster) ??
      [...(this.#byCluster.get(cluster) ?? [])].sort(([one], [other]) => one - other);
    this.#sorted.set(cluster, known);
    return known;
  }
}
