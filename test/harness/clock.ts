import { setImmediate as turn } from "node:timers/promises";
import { waitFor } from "../../shared/runtime/retry.ts";

/** The clock of a backend's servers, and of the relay under test. */
export type Clock = {
  now(): number;
  /** Resolves when that much time has passed on the clock. */
  advance(ms: number, signal?: AbortSignal): Promise<void>;
};

/** For servers with their own clock: it really waits. */
export const realClock: Clock = {
  now: Date.now,
  advance: (ms, signal = new AbortController().signal) => waitFor(ms, signal),
};

/** For the sandbox: skips the time. Concurrent waits overlap, as on a real clock. */
export function sandboxClock(): Clock {
  let aheadMs = 0;
  return {
    now: () => Date.now() + aheadMs,
    advance: async (ms) => {
      const at = Date.now() + aheadMs + Math.ceil(ms); // the sandbox's times are whole milliseconds
      await turn();
      aheadMs = Math.max(aheadMs, at - Date.now());
    },
  };
}
