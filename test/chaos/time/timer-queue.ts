export type Timer = {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  isCleared: boolean;
};

/** A binary heap of timers, ordered by time and then by the order in which they were set. */
export class TimerQueue {
  readonly #heap: Timer[] = [];

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  add(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Timer)) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  }

  /** Removes the next timer, skipping cleared ones. */
  next(): Timer | undefined {
    for (;;) {
      const timer = this.#pop();
      if (timer === undefined || !timer.isCleared) return timer;
    }
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && isBefore(heap[right] as Timer, heap[left] as Timer) ? right : left;
      if (!isBefore(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
