import { createContext, Script } from "node:vm";

/**
 * Runs something synchronous and stops it, wherever it is, once it has taken that long.
 *
 * V8 can end running JavaScript only from a watchdog of its own, and node:vm is the door to it. Nothing else of node:vm
 * is used: it is no sandbox, and what runs here is our own code and the libraries'.
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

/** Caught by whoever ran it, who knows what to call it. */
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
