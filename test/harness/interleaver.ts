/** Chooses the next step from the waiting actors; a test draws it or explores every choice. */
export type Choose = (waiting: readonly string[]) => number;

type Waiting = { readonly actor: string; readonly label: string; readonly go: () => Promise<void> };

/**
 * Interleaves the steps of several actors. An actor is a sequence of asynchronous steps; each step waits until it is
 * chosen, then runs to its end before the next choice. So a schedule is a list of choices, and can be repeated.
 */
export class Interleaver {
  readonly trace: string[] = [];
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #changed: () => void = () => {};

  /** Wraps one step of an actor. */
  step<T>(actor: string, label: string, operation: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const go = () => operation().then(resolve, reject);
      this.#waiting.push({ actor, label, go });
      this.#changed();
    });
  }

  /** Runs the actors to their end. Each must wait in one step at a time. */
  async run(actors: readonly (() => Promise<unknown>)[], choose: Choose): Promise<void> {
    this.#running = actors.length;
    const ends = actors.map((actor) =>
      actor().finally(() => {
        this.#running -= 1;
        this.#changed();
      }),
    );
    const failed = Promise.all(ends);
    failed.catch(() => {});
    while (this.#running > 0) {
      if (this.#waiting.length < this.#running) {
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
        continue;
      }
      this.#waiting.sort((one, other) => one.actor.localeCompare(other.actor));
      const chosen = this.#waiting.splice(choose(this.#waiting.map(({ actor }) => actor)), 1)[0];
      if (chosen === undefined) throw new RangeError("The choice names no waiting actor");
      this.trace.push(`${chosen.actor} ${chosen.label}`);
      await chosen.go();
    }
    await failed;
  }
}

/** Every schedule, by exploring the tree of choices; `run` plays one and gets its choices. */
export async function everySchedule(run: (choose: Choose) => Promise<void>): Promise<number> {
  let path: { choice: number; of: number }[] = [];
  for (let schedules = 1; ; schedules += 1) {
    let depth = 0;
    const played: typeof path = [];
    await run((waiting) => {
      const choice = path[depth]?.choice ?? 0;
      depth += 1;
      played.push({ choice, of: waiting.length });
      return choice;
    });
    while (played.length > 0 && (played.at(-1)?.choice ?? 0) + 1 >= (played.at(-1)?.of ?? 0)) played.pop();
    const last = played.at(-1);
    if (last === undefined) return schedules;
    path = [...played.slice(0, -1), { choice: last.choice + 1, of: last.of }];
  }
}
