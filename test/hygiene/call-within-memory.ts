import { Worker } from "node:worker_threads";

/** The result of a call: its return value, the code of its error, or that it exceeded the memory limit. */
export type Called = { readonly returned: unknown } | { readonly threw: string } | "out of memory";

/**
 * Calls an export of a module in a heap of the given size; V8 ends a call that needs more. The memory use of the whole
 * process would show less, because it includes leftovers of other tests. `args` and the result are copied.
 */
export async function callWithinMemory(
  heapMB: number,
  module: URL,
  name: string,
  ...args: readonly unknown[]
): Promise<Called> {
  const worker = new Worker(SCRIPT, {
    eval: true,
    execArgv: [],
    workerData: { module: module.href, name, args },
    resourceLimits: { maxOldGenerationSizeMb: heapMB, maxYoungGenerationSizeMb: 16 },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Called>();
  worker.once("message", resolve);
  worker.once("error", (error) => {
    if ((error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY") resolve("out of memory");
    else reject(error);
  });
  try {
    return await promise;
  } finally {
    await worker.terminate();
  }
}

const SCRIPT = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.module).then((module) => {
    try {
      parentPort.postMessage({ returned: module[workerData.name](...workerData.args) });
    } catch (error) {
      parentPort.postMessage({ threw: String(error.code ?? error) });
    }
  });`;
