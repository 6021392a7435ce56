import { kubeconfigFor } from "../../../sandbox/kubernetes/kubeconfig.ts";
import type { CertificateAuthority } from "../../../sandbox/tls/certificate-authority.ts";
import type { KubernetesBackend } from "../../harness/backend.ts";
import { answersWell } from "./answers-well.ts";
import { getBinary } from "./binaries.ts";
import { freePorts } from "./free-ports.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** Of kube-controller-manager; no other controller runs. Without a scheduler and a kubelet, a test plays both (TestNodes). */
export const WORKLOAD_CONTROLLERS = [
  "deployment-controller",
  "replicaset-controller",
  "statefulset-controller",
  "daemonset-controller",
] as const;

type ControllersOptions = {
  readonly authority: CertificateAuthority;
  /** Writes a file for the process, and returns its path. */
  readonly write: (name: string, content: string) => string;
  readonly logFile: string;
};

/** A real kube-controller-manager on loopback, as the administrator of the cluster. */
export async function startControllers(
  names: readonly string[],
  cluster: Omit<KubernetesBackend, "stop" | "kill" | "startAgain">,
  { write, authority, logFile }: ControllersOptions,
): Promise<ServerProcess> {
  const certificate = authority.issueServerCertificate(["127.0.0.1"]);
  const kubeconfig = kubeconfigFor(cluster, "111122223333", { token: cluster.adminToken });
  const [port] = await freePorts(1);
  const controllers = startServerProcess(
    getBinary("kube-controller-manager"),
    [
      `--kubeconfig=${write("controllers.kubeconfig", JSON.stringify(kubeconfig))}`,
      `--controllers=${names.join(",")}`,
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      `--tls-cert-file=${write("controllers.crt", certificate.certificatePem)}`,
      `--tls-private-key-file=${write("controllers.key", certificate.keyPem)}`,
      "--kube-api-qps=500", // the default of 20 would make a test wait
      "--kube-api-burst=500",
    ],
    logFile,
  );
  try {
    const ca = authority.certificatePem;
    await controllers.ready(() => answersWell(`https://127.0.0.1:${port}/healthz`, { ca }));
    return controllers;
  } catch (error) {
    await controllers.stop();
    throw error;
  }
}
