import type { Backend } from "../test/contract/backend.ts";
import type { BackendName } from "./bench.ts";

/** Only the backend that is asked for is loaded: the sandbox has no business in the memory of a run on real servers. */
export async function startBackend(name: BackendName): Promise<Backend> {
  if (name === "real") return (await import("../test/real/start-backend.ts")).startRealBackend();
  return (await import("../test/sandbox/start-backend.ts")).startSandboxBackend();
}
