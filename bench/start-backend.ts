import type { Backend } from "../test/harness/backend.ts";
import type { BackendName } from "./bench.ts";

/** Loads only the requested backend, so that the sandbox takes no memory in a run on real servers. */
export async function startBackend(name: BackendName): Promise<Backend> {
  if (name === "real") return (await import("../test/harness/start-real-backend.ts")).startRealBackend();
  return (await import("../test/harness/start-sandbox-backend.ts")).startSandboxBackend();
}
