import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RelayError } from "../../shared/relay-error.ts";
import { backoffMs, type RetryPolicy, waitFor, withRetries } from "../../shared/runtime/retry.ts";
import { shortenTimeBudget, startTimeBudget, type TimeBudget } from "../../shared/runtime/time-budget.ts";
import { virtualTime } from "../chaos/time/virtual-time.ts";

class Passing extends RelayError {
  override readonly name = "Passing";
  readonly code = "PASSING";
  readonly retryable = true;
  override readonly retryAfterMs: number;
  constructor(retryAfterMs = 0) {
    super("it may pass");
    this.retryAfterMs = retryAfterMs;
  }
}

class Lasting extends RelayError {
  override readonly name = "Lasting";
  readonly code = "LASTING";
  readonly retryable = false;
}

const POLICY: RetryPolicy = { attemptsMax: 4, pauseMs: 100, pauseMsMax: 3_000 };

/** Runs `attempt` on a clock that advances only with the delays. */
function prepare(budgetMs = 60_000) {
  const state = { now: 0, attempts: 0, pauses: [] as number[] };
  const budget: TimeBudget = {
    signal: new AbortController().signal,
    remainingMs: () => budgetMs - state.now,
  };
  const run = <T>(attempt: (attempts: number) => T, policy = POLICY) =>
    withRetries(
      async () => {
        state.attempts += 1;
        return attempt(state.attempts);
      },
      policy,
      budget,
      async (ms) => {
        state.pauses.push(ms);
        state.now += ms;
      },
    );
  return { state, run };
}

const failing = (error: unknown) => () => {
  throw error;
};

describe("a retryable error is retried", () => {
  it("until the call succeeds, and its result is returned", async () => {
    const { run, state } = prepare();
    const result = await run((attempts) => (attempts < 3 ? failing(new Passing())() : "done"));
    expect(result).toBe("done");
    expect(state.pauses).toHaveLength(2);
  });

  it("as often as the policy permits, and then the last error is thrown", async () => {
    const { run, state } = prepare();
    await expect(run((attempts) => failing(new Passing(attempts))())).rejects.toMatchObject({
      retryAfterMs: 4,
    });
    expect(state.attempts).toBe(4);
  });

  it.each([
    { it: "a terminal error", error: new Lasting("it lasts") },
    { it: "a bug", error: new TypeError("undefined is not a function") },
    { it: "a thrown value that is not an error", error: "text" },
  ])("but $it is not", async ({ error }) => {
    const { run, state } = prepare();
    await expect(run(failing(error))).rejects.toBe(error);
    expect(state.attempts).toBe(1);
  });

  it("only if the policy permits it", async () => {
    const { run, state } = prepare();
    await expect(run(failing(new Passing()), { ...POLICY, isWorthRetrying: () => false })).rejects.toThrow(
      Passing,
    );
    expect(state.attempts).toBe(1);
  });
});

describe("the delay before the next attempt", () => {
  it("is the requested one if that is longer", async () => {
    const { run, state } = prepare();
    await run((attempts) => attempts > 1 || failing(new Passing(7_000))());
    expect(state.pauses).toEqual([7_000]);
  });

  it("is our own if the requested one is shorter", async () => {
    const { run, state } = prepare();
    await run((attempts) => attempts > 1 || failing(new Passing(0))());
    expect(state.pauses[0]).toBeGreaterThanOrEqual(50);
  });

  it("is not started if it exceeds the time budget", async () => {
    const { run, state } = prepare(7_000);
    await expect(run(failing(new Passing(7_000)))).rejects.toThrow(Passing);
    expect(state.pauses).toEqual([]);
  });

  it("never exceeds the time budget in total", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(20_000),
        fc.nat(5_000),
        fc.integer({ min: 1, max: 10 }),
        async (budgetMs, askedMs, attemptsMax) => {
          const { run, state } = prepare(budgetMs);
          await expect(run(failing(new Passing(askedMs)), { ...POLICY, attemptsMax })).rejects.toThrow(
            Passing,
          );
          expect(state.now).toBeLessThanOrEqual(budgetMs);
          expect(state.attempts).toBeLessThanOrEqual(attemptsMax);
        },
      ),
    );
  });

  it("doubles, is random in its upper half, and has a maximum", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempts, drawn) => {
          const full = Math.min(3_000, 100 * 2 ** (attempts - 1));
          const ms = backoffMs(POLICY, attempts, () => drawn);
          expect(ms).toBeGreaterThanOrEqual(full / 2);
          expect(ms).toBeLessThanOrEqual(full);
        },
      ),
    );
  });

  it("ends without an error when its signal is aborted", async () => {
    const abort = new AbortController();
    const waiting = waitFor(3_600_000, abort.signal);
    abort.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(waitFor(3_600_000, AbortSignal.abort())).resolves.toBeUndefined();
  });
});

describe("a time budget", () => {
  it("returns the remaining time, and never a negative one", () => {
    let now = 1_000;
    const budget = startTimeBudget(60_000, () => now);
    expect(budget.remainingMs()).toBe(60_000);
    now += 59_000;
    expect(budget.remainingMs()).toBe(1_000);
    now += 59_000;
    expect(budget.remainingMs()).toBe(0);
    expect(budget.signal.aborted).toBe(false); // the signal follows real time
  });

  it("can start with zero or negative time", () => {
    expect(startTimeBudget(-500).remainingMs()).toBe(0);
  });
});

describe("a shortened time budget", () => {
  it("ends with its own time, or with the budget if that is earlier", async () => {
    const endedAt = (totalMs: number, ms: number) => {
      const time = virtualTime(0);
      return time.run(async () => {
        const { signal } = shortenTimeBudget(startTimeBudget(totalMs, time.now), ms, time.now);
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        return time.now();
      });
    };
    expect(await endedAt(60_000, 2_000)).toBe(2_000);
    expect(await endedAt(2_000, 60_000)).toBe(2_000);
  });

  it("stays ended after a garbage collection", async () => {
    const { signal } = shortenEndedLater();
    await nextTurn();
    collectGarbage();
    expect(signal.aborted).toBe(true);
  });

  it("of a budget that has ended is ended", () => {
    const ended: TimeBudget = { signal: AbortSignal.abort(), remainingMs: () => 0 };
    expect(shortenTimeBudget(ended, 2_000).signal.aborted).toBe(true);
  });
});

/** A function, so that nothing else keeps the signal of the budget. */
function shortenEndedLater(): TimeBudget {
  const end = new AbortController();
  const shortened = shortenTimeBudget({ signal: end.signal, remainingMs: () => 60_000 }, 60_000);
  end.abort();
  return shortened;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
