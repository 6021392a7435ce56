import { createContext, Script } from "node:vm";

/**
 * Runs a synchronous function with a time limit.
 *
 * Only V8's own watchdog can stop running JavaScript, and node:vm gives access to it. It is not used as a sandbox: only
 * our own code and library code runs here.
 */
export function runBounded<T>(run: () => T, msMax = RUN_MS_MAX): T {
  let result: { value: T } | undefined;
  context.run = () => {
    result = { value: run() };
  };
  try {
    script.runInContext(context, { timeout: msMax });
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") {
      throw new TookTooLong(msMax);
    }
    throw error;
  } finally {
    context.run = undefined;
  }
  if (result === undefined) throw new TypeError("The script always runs what it is given");
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

const context = createContext({ run: undefined } as { run: (() => void) | undefined });
const script = new Script("run()");
