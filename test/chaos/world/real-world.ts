import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { KubernetesBackend } from "../../harness/backend.ts";
import { kubernetesCall } from "../../harness/kubernetes-request.ts";
import { startControlPlane } from "../../real/control-plane/start.ts";
import { openAccount } from "./account.ts";
import { entryOf } from "./cluster-entry.ts";
import { startMotoStore } from "./moto-store.ts";
import type { SecretName, SecretRecord, World, WorldCluster } from "./world.ts";

/**
 * For each cluster an etcd and a kube-apiserver, which is really killed, and moto as S3. The rest of AWS is the sandbox's,
 * through a socket:
 * moto's GetSecretValue lags when a label moves to a version that was pending, and moto removes labels that were not
 * moved (test/contract/aws-contract.ts), so it cannot serve as a reference.
 */
export async function openRealWorld(
  clusters: number,
  now: () => number,
  credentialsMs: number,
): Promise<World> {
  const { aws, credentialsOf, worldOf } = await openAccount(now, credentialsMs, startMotoStore);
  const opened: WorldCluster[] = [];
  const world = () => worldOf(opened, (_, send) => send());
  try {
    for (let index = 0; index < clusters; index += 1) {
      const key = `cluster-${index}`;
      const backend = await startControlPlane({
        clusterName: key,
        region: aws.region,
        credentialsOf,
        apiServerArguments: KEEPS_HISTORY,
      });
      const { endpoint, certificateAuthorityData } = backend;
      aws.addCluster({ name: key, endpoint, certificateAuthorityData });
      opened.push(await openCluster(key, index, backend));
    }
  } catch (error) {
    await world().stop();
    throw error;
  }
  return world();
}

/** A watch of Secrets goes to etcd, and etcd keeps all revisions, so the whole history can be read at the end. */
const KEEPS_HISTORY = ["--watch-cache-sizes=secrets#0", "--etcd-compaction-interval=0"];

async function openCluster(key: string, index: number, backend: KubernetesBackend): Promise<WorldCluster> {
  const { endpoint } = backend;
  const admin = kubernetesCall(backend);
  const { body } = await admin("/api/v1/secrets?limit=1");
  admin.close();
  const from: string = body.metadata.resourceVersion;
  return {
    key,
    host: { kind: "cluster", name: key, at: new URL(endpoint).host, downUntil: 0 },
    backend,
    hasControllers: false,
    entry: entryOf(index, key, backend),
    kill: () => backend.kill(),
    startAgain: () => backend.startAgain(),
    history: (secrets) => readHistory(backend, from, secrets),
  };
}

type WatchEvent = {
  type: SecretRecord["type"] | "ERROR";
  object: {
    metadata: {
      name: string;
      namespace: string;
      uid: string;
      resourceVersion: string;
      annotations?: Record<string, string>;
    };
    data?: Record<string, string>;
  };
};

/** A watch from the start to a Secret that is created now covers the whole history. */
async function readHistory(
  backend: KubernetesBackend,
  from: string,
  secrets: readonly SecretName[],
): Promise<SecretRecord[]> {
  const admin = kubernetesCall(backend);
  try {
    const metadata = { generateName: "end-of-the-history-" }; // several judges read it
    const made = await admin("/api/v1/namespaces/default/secrets", {
      method: "POST",
      body: { apiVersion: "v1", kind: "Secret", metadata },
    });
    const marker: string | undefined = made.body?.metadata?.name;
    if (made.status !== 201) throw new Error(`The end marker could not be created: ${made.status}`);
    const watched = await readWatch(backend, `/api/v1/secrets?watch=true&resourceVersion=${from}`);
    const events = watched
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as WatchEvent);
    if (!events.some(({ type, object }) => type === "ADDED" && object.metadata.name === marker)) {
      throw new Error(`The history of ${backend.clusterName} does not reach the end marker`);
    }
    const wanted = new Set(secrets.map(({ namespace, name }) => `${namespace}/${name}`));
    return events.flatMap(({ type, object: { metadata, data = {} } }) => {
      const { namespace, name, uid, resourceVersion, annotations = {} } = metadata;
      if (type === "ERROR" || !wanted.has(`${namespace}/${name}`)) return [];
      return [{ type, namespace, name, uid, resourceVersion, data, annotations }];
    });
  } finally {
    admin.close();
  }
}

/** All present events, as lines: a watch would not end. */
async function readWatch(backend: KubernetesBackend, path: string): Promise<string> {
  const ca = Buffer.from(backend.certificateAuthorityData, "base64").toString();
  const headers = { authorization: `Bearer ${backend.adminToken}` };
  const request = httpsRequest(`${backend.endpoint}${path}&timeoutSeconds=${WATCH_SECONDS}`, {
    ca,
    headers,
    agent: false,
  });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return text(response);
}

const WATCH_SECONDS = 5;
