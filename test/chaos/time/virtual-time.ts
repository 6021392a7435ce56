import { AsyncResource } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";
import { currentEnvironment } from "../transport/environment.ts";
import { installSkewedDate } from "./skewed-date.ts";
import { type Timer, TimerQueue } from "./timer-queue.ts";
import type { WorldTime } from "./world-time.ts";

/**
 * Time stops while any work is pending, and then jumps to the next timer. So an hour takes as long as its work takes,
 * and the timers alone decide the order: the same seed gives the same run.
 *
 * While it runs, the process's Date, performance.now, setTimeout, AbortSignal.timeout and Math.random are replaced, so
 * the process does nothing else; afterwards they are restored. AbortSignal.any throws, because what its signal does may
 * depend on the garbage collector. Work that waits for the machine (a file, a socket) must use `hold`.
 */
export function virtualTime(startAt: number): WorldTime {
  let at = startAt;
  let order = 0;
  let holding = 0;
  let held: Promise<unknown> = Promise.resolve();
  let timers = new TimerQueue();
  const realImmediate = globalThis.setImmediate;
  const nextTurn = () => new Promise<void>((resolve) => void realImmediate(resolve));

  const setTimer = (fire: () => void, ms = 0): VirtualTimer => {
    order += 1;
    const context = new AsyncResource("VirtualTimer"); // AsyncLocalStorage.snapshot takes 100 times as long
    const delayMs = Number.isFinite(ms) && ms > 0 ? ms : 0;
    const timer: Timer = {
      at: at + delayMs,
      order,
      fire: () => context.runInAsyncScope(fire),
      isCleared: false,
    };
    timers.add(timer);
    return new VirtualTimer(timer);
  };
  const install = (): (() => void) => {
    const restoreDate = installSkewedDate(() => at);
    const restoreTimers = installTimers(setTimer);
    const { random } = Math;
    const { now } = performance;
    performance.now = () => at - startAt;
    Math.random = () => currentEnvironment()?.jitter.next() ?? 0.5;
    return () => {
      Math.random = random;
      performance.now = now;
      restoreTimers();
      restoreDate();
    };
  };

  /** No work is pending: promises, ticks and streams are done, and no file is being read. */
  const settle = async (): Promise<void> => {
    do await nextTurn();
    while (holding > 0 || process.getActiveResourcesInfo().some((kind) => kind.startsWith("FSReq")));
  };

  return {
    kind: "virtual",
    now: () => at,
    run: async (main) => {
      at = startAt;
      timers = new TimerQueue(); // left by an earlier run
      const restore = install();
      try {
        const ended = { is: false };
        const done = main().finally(() => {
          ended.is = true;
        });
        done.catch(() => {});
        for (;;) {
          await settle();
          if (ended.is) return await done;
          const timer = timers.next();
          if (timer === undefined) throw new Error("All work is waiting and no timer is set: the run hangs");
          at = Math.max(at, timer.at);
          timer.fire();
        }
      } finally {
        restore();
      }
    },
    // Sequentially, so that the machine does not decide the order.
    hold: (work) => {
      holding += 1;
      const result = held.then(work);
      held = result.then(nextTurn, nextTurn).then(() => {
        holding -= 1;
      });
      return result;
    },
  };
}

class VirtualTimer {
  readonly #timer: Timer;
  constructor(timer: Timer) {
    this.#timer = timer;
  }
  clear(): void {
    this.#timer.isCleared = true;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
}

function installTimers(setTimer: (fire: () => void, ms?: number) => VirtualTimer): () => void {
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    timeout: AbortSignal.timeout,
    any: AbortSignal.any,
    sleep: timersPromises.setTimeout,
  };
  const clear = (timer: unknown): void => {
    if (timer instanceof VirtualTimer) timer.clear();
    else real.clearTimeout(timer as NodeJS.Timeout | undefined); // it was set before the run
  };
  const setTimeout = (fire: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
    setTimer(() => fire(...args), ms);
  Object.assign(globalThis, { setTimeout, clearTimeout: clear });
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController();
    setTimer(() => controller.abort(new DOMException("The operation timed out", "TimeoutError")), ms);
    return controller.signal;
  };
  AbortSignal.any = () => {
    throw new TypeError("AbortSignal.any depends on the garbage collector. Use firstAbortOf");
  };
  timersPromises.setTimeout = sleepWith(setTimer);
  syncBuiltinESMExports();
  return () => {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    AbortSignal.timeout = real.timeout;
    AbortSignal.any = real.any;
    timersPromises.setTimeout = real.sleep;
    syncBuiltinESMExports();
  };
}

function sleepWith(
  setTimer: (fire: () => void, ms?: number) => VirtualTimer,
): typeof timersPromises.setTimeout {
  return <T>(ms?: number, value?: T, { signal }: { signal?: AbortSignal | undefined } = {}) =>
    new Promise<T>((resolve, reject) => {
      const stop = () => {
        timer.clear();
        reject(new DOMException("The operation was aborted", "AbortError"));
      };
      const timer = setTimer(() => {
        signal?.removeEventListener("abort", stop);
        resolve(value as T);
      }, ms);
      if (signal?.aborted) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    });
}
