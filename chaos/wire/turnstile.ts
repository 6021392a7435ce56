type Waiting = { readonly key: string; readonly go: () => void };

/**
 * Lets those who come in the same moment of the world's time through in the order of their keys. Which of an
 * invocation's parallel branches gets to its request first depends on how many promises lie in between, and so on what
 * a library has cached: nothing that a seed should hang on.
 */
export class Turnstile {
  #waiting: Waiting[] = [];

  /** Runs `go` when it is this one's turn. */
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
