import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StsCredentials, verifyEksToken } from "../../../sandbox/kubernetes/verify-eks-token.ts";
import { createCertificateAuthority } from "../../../sandbox/tls/certificate-authority.ts";
import type { KubernetesBackend } from "../../harness/backend.ts";
import { testCredentialsOf } from "../../harness/test-credentials.ts";
import { answersWell } from "./answers-well.ts";
import { getBinary } from "./binaries.ts";
import { freePorts } from "./free-ports.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import { startControllers } from "./start-controllers.ts";
import { startTokenWebhook, type TokenWebhook } from "./token-webhook.ts";

export type ControlPlaneOptions = {
  clusterName?: string;
  region?: string;
  /** Whose EKS tokens are taken; every one of them is in the relay's group. */
  credentialsOf?: (accessKeyId: string) => StsCredentials | undefined;
  now?: () => Date;
  /** Further arguments of kube-apiserver. */
  apiServerArguments?: readonly string[];
  /** Controllers of kube-controller-manager. By default it is not started, and nothing is rolled out. */
  controllers?: readonly string[];
};

/** A real etcd and kube-apiserver on loopback, with RBAC, and EKS tokens judged where EKS judges them. Takes about 5 s. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<KubernetesBackend> {
  const { clusterName = "relay-test", region = "eu-west-1", credentialsOf = testCredentialsOf } = options;
  const now = options.now ?? (() => new Date());
  const folder = mkdtempSync(join(tmpdir(), "control-plane-"));
  const started: Stoppable[] = [{ stop: async () => rmSync(folder, { recursive: true, force: true }) }];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    const authority = createCertificateAuthority("eks-secret-relay test control plane");
    const webhook = await startTokenWebhook({
      authority,
      group: RELAY_GROUP,
      verify: (token) => verifyEksToken(token, { clusterName, region, credentialsOf, now: now() }),
    });
    started.push(webhook);
    const [etcdPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3);
    const adminToken = randomBytes(24).toString("base64url");
    const certificate = authority.issueServerCertificate(["127.0.0.1", "localhost"]);
    const write = (name: string, content: string): string => {
      const path = join(folder, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    const etcd = startServerProcess(
      getBinary("etcd"),
      etcdArguments({ folder, etcdPort, peerPort }),
      join(folder, "etcd.log"),
    );
    started.push(etcd);
    await etcd.ready(async () => (await fetch(`http://127.0.0.1:${etcdPort}/health`)).ok);

    const serviceAccountKey = write("service-account.pem", rsaKeyPem());
    const apiServerArguments = [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${apiPort}`,
      `--cert-dir=${folder}`,
      `--tls-cert-file=${write("api.crt", certificate.certificatePem)}`,
      `--tls-private-key-file=${write("api.key", certificate.keyPem)}`,
      "--service-cluster-ip-range=10.96.0.0/16",
      `--service-account-key-file=${serviceAccountKey}`,
      `--service-account-signing-key-file=${serviceAccountKey}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      "--api-audiences=https://kubernetes.default.svc",
      "--authorization-mode=RBAC",
      "--disable-admission-plugins=ServiceAccount",
      `--token-auth-file=${write("tokens.csv", `${adminToken},admin,admin,system:masters\n`)}`,
      `--authentication-token-webhook-config-file=${write("webhook.json", webhookConfig(webhook, authority.certificateAuthorityData))}`,
      "--authentication-token-webhook-version=v1",
      // kube-apiserver remembers an accepted token for 10 s in any case; a second memory would only add to that.
      "--authentication-token-webhook-cache-ttl=0s",
      ...(options.apiServerArguments ?? []),
    ];
    const startApiServer = () =>
      startServerProcess(getBinary("kube-apiserver"), apiServerArguments, join(folder, "kube-apiserver.log"));
    let apiServer = startApiServer();
    started.push({ stop: () => apiServer.stop() });
    const endpoint = `https://127.0.0.1:${apiPort}`;
    const probe = { ca: authority.certificatePem, headers: { authorization: `Bearer ${adminToken}` } };
    const becomesReady = () => apiServer.ready(() => answersWell(`${endpoint}/readyz`, probe));
    await becomesReady();
    const cluster = {
      endpoint,
      certificateAuthorityData: authority.certificateAuthorityData,
      clusterName,
      region,
      adminToken,
      relayGroup: RELAY_GROUP,
    };
    if (options.controllers !== undefined) {
      const logFile = join(folder, "kube-controller-manager.log");
      started.push(await startControllers(options.controllers, cluster, { write, authority, logFile }));
    }
    return {
      ...cluster,
      kill: () => apiServer.kill(),
      startAgain: async () => {
        apiServer = startApiServer();
        await becomesReady();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Stoppable = Pick<ServerProcess, "stop">;

const RELAY_GROUP = "secret-relay";

function etcdArguments({
  folder,
  etcdPort,
  peerPort,
}: {
  folder: string;
  etcdPort: number;
  peerPort: number;
}) {
  return [
    `--data-dir=${join(folder, "etcd")}`,
    `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
    `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    "--unsafe-no-fsync",
  ];
}

function webhookConfig(webhook: TokenWebhook, certificateAuthorityData: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "webhook",
        cluster: { server: webhook.url, "certificate-authority-data": certificateAuthorityData },
      },
    ],
    users: [{ name: "kube-apiserver", user: {} }],
    contexts: [{ name: "webhook", context: { cluster: "webhook", user: "kube-apiserver" } }],
    "current-context": "webhook",
  });
}

function rsaKeyPem(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs1", format: "pem" }).toString();
}
