import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { kubeconfigFor } from "../../sandbox/kubernetes/kubeconfig.ts";
import { describeKubectlContract, type KubectlCluster } from "../contract/kubectl-contract.ts";
import { kubernetesCall } from "../harness/kubernetes-request.ts";
import { startControlPlane } from "./control-plane/start.ts";

async function startCluster(): Promise<KubectlCluster> {
  const backend = await startControlPlane();
  const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  const kubeconfig = join(folder, "kubeconfig");
  const user = { token: backend.adminToken };
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(backend, "111122223333", user)), { mode: 0o600 });
  const call = kubernetesCall(backend);
  await call("/api/v1/namespaces", {
    method: "POST",
    body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
  });
  call.close();
  return {
    kubeconfig,
    stop: async () => {
      await backend.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe("on a real kube-apiserver", () => describeKubectlContract(startCluster, { isWhole: false }));
