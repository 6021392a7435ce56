type Waiting = { readonly key: string; readonly go: () => void };

/**
 * Orders callers that arrive at the same virtual time by their keys. Which of an invocation's parallel branches sends
 * first depends on the number of promises in between, and so on a library's caches. A seed must not depend on that.
 */
export class Scheduler {
  #waiting: Waiting[] = [];

  /** Runs `go` in this caller's turn. */
  pass<T>(key: string, go: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push({ key, go: () => resolve(go()) });
      if (this.#waiting.length === 1) setTimeout(() => this.#open(), 0);
    });
  }

  #open(): void {
    const waiting = this.#waiting.sort((one, other) =>
      one.key < other.key ? -1 : one.key > other.key ? 1 : 0,
    );
    this.#waiting = [];
    for (const { go } of waiting) go();
  }
}
