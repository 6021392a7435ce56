import { createContext, Script } from "node:vm";

/**
 * Runs a synchronous function with a limit on the processor time of its thread. The function may run several times, so
 * it must have no effect but its result.
 *
 * Only V8's own watchdog can stop running JavaScript, and node:vm gives access to it. It is not used as a sandbox: only
 * our own code and library code runs here. The watchdog measures elapsed time. A thread that waits for a processor, as
 * in a small Lambda function or on a busy machine, has used less, and gets more time.
 */
export function runBounded<T>(run: () => T, msMax = RUN_MS_MAX): T {
  let result: { value: T } | undefined;
  context.run = () => {
    result = { value: run() };
  };
  try {
    for (let timeout = msMax; result === undefined; timeout *= 2) {
      const before = process.threadCpuUsage();
      try {
        script.runInContext(context, { timeout });
      } catch (error) {
        if ((error as { code?: unknown } | undefined)?.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
        const { user, system } = process.threadCpuUsage(before);
        const usedMs = (user + system) / 1_000;
        if (usedMs >= msMax || timeout >= msMax * ELAPSED_FACTOR_MAX) throw new TookTooLong(msMax);
      }
    }
  } finally {
    context.run = undefined;
  }
  return result.value;
}

export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
  readonly msMax: number;
  constructor(msMax: number) {
    super(`It was stopped after ${msMax} ms`);
    this.msMax = msMax;
  }
}

/** A large template over a source of 64 KiB takes a few milliseconds. */
const RUN_MS_MAX = 500;

/** At most 500 + 1,000 + 2,000 + 4,000 ms of elapsed time. */
const ELAPSED_FACTOR_MAX = 8;

const context = createContext({ run: undefined } as { run: (() => void) | undefined });
const script = new Script("run()");
