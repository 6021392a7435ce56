import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubeconfigFor } from "../../../sandbox/kubernetes/kubeconfig.ts";
import type { KubernetesBackend } from "../../harness/backend.ts";
import { getBinary } from "../control-plane/binaries.ts";

/** `refused`: it does not judge a workload like this. */
export type KubectlVerdict = "complete" | "waiting" | "failed" | "refused";

export type KubectlRollout = {
  /** What `kubectl rollout status` says of a workload, such as `deployment/shop`, without waiting. */
  status(workload: string, namespace: string): Promise<{ verdict: KubectlVerdict; text: string }>;
  remove(): void;
};

export function openKubectlRollout(cluster: KubernetesBackend): KubectlRollout {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-rollout-"));
  const kubeconfig = join(folder, "kubeconfig");
  const user = { token: cluster.adminToken };
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(cluster, "111122223333", user)), { mode: 0o600 });
  const env = { HOME: folder, PATH: process.env.PATH, KUBECONFIG: kubeconfig };
  return {
    status: (workload, namespace) =>
      new Promise((resolve) => {
        const args = ["rollout", "status", workload, "-n", namespace, "--watch=false"];
        execFile(getBinary("kubectl"), args, { env, timeout: 30_000 }, (error, stdout, stderr) => {
          const text = `${stdout}${stderr}`.trim();
          resolve({ verdict: error === null ? verdictOf(stdout) : failureOf(stderr, text), text });
        });
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const verdictOf = (stdout: string): KubectlVerdict =>
  /successfully rolled out|roll out complete|rolling update complete/.test(stdout) ? "complete" : "waiting";

function failureOf(stderr: string, text: string): KubectlVerdict {
  if (stderr.includes("exceeded its progress deadline")) return "failed";
  if (stderr.includes("only available for")) return "refused";
  throw new Error(`kubectl rollout status: ${text}`);
}
