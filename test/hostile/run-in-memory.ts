import { Worker } from "node:worker_threads";

/**
 * Loads bindings in a heap of that size, and gives the code of the error, `loaded`, or `out of memory`: V8 itself ends
 * whoever needs more. What a process holds at a moment would say less, as it holds what other tests left behind.
 */
export async function loadBindingsWithin(heapMB: number, text: string): Promise<string> {
  const worker = new Worker(SCRIPT, {
    eval: true,
    execArgv: [],
    workerData: { text, module: new URL("../../shared/bindings/load-bindings.ts", import.meta.url).href },
    resourceLimits: { maxOldGenerationSizeMb: heapMB, maxYoungGenerationSizeMb: 16 },
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
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
  import(workerData.module).then(({ loadBindings }) => {
    try {
      loadBindings(workerData.text, "bindings.yaml");
      parentPort.postMessage("loaded");
    } catch (error) {
      parentPort.postMessage(String(error.code ?? error));
    }
  });`;
