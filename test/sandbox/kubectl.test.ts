import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { describeKubectlContract, type KubectlCluster } from "../contract/kubectl-contract.ts";

/** As a reader starts it: a child process, and the kubeconfig that it writes. */
async function startServedSandbox(): Promise<KubectlCluster> {
  const folder = mkdtempSync(join(tmpdir(), "served-sandbox-"));
  const serve = join(import.meta.dirname, "../../sandbox/serve.ts");
  const server = spawn(process.execPath, [serve, folder], { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([
    once(server.stdout, "data"),
    once(server, "exit").then(() => Promise.reject(new Error("sandbox/serve.ts has ended"))),
  ]);
  return {
    kubeconfig: join(folder, "kubeconfig"),
    stop: async () => {
      server.kill();
      await once(server, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe("on sandbox/serve.ts", () => describeKubectlContract(startServedSandbox, { isWhole: true }));
