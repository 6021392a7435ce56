import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { KubernetesBackend } from "../../test/contract/backend.ts";
import { kubernetesCall } from "../../test/contract/kubernetes-request.ts";
import { startControlPlane } from "../../test/real/control-plane/start.ts";
import { openAccount } from "./account.ts";
import { entryOf } from "./cluster-entry.ts";
import type { SecretName, SecretRecord, World, WorldCluster } from "./world.ts";

/**
 * For each cluster an etcd and a kube-apiserver, which is really killed. AWS is the sandbox's, asked through a socket:
 * moto leaves GetSecretValue behind when a label moves to a version that was pending, and takes labels away that nobody
 * moved (test/contract/aws-contract.ts), so a Secret could not be judged by it.
 */
export async function openRealWorld(
  clusters: number,
  now: () => number,
  credentialsMs: number,
): Promise<World> {
  const { aws, credentialsOf, worldOf } = await openAccount(now, credentialsMs);
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

/** A watch of Secrets goes to etcd, and etcd forgets nothing: so the whole history can be read in the end. */
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

/** A watch from the start to a Secret that is made now: what lies in between is everything. */
async function readHistory(
  backend: KubernetesBackend,
  from: string,
  secrets: readonly SecretName[],
): Promise<SecretRecord[]> {
  const admin = kubernetesCall(backend);
  try {
    const metadata = { name: "end-of-the-run" };
    const made = await admin("/api/v1/namespaces/default/secrets", {
      method: "POST",
      body: { apiVersion: "v1", kind: "Secret", metadata },
    });
    if (made.status !== 201) throw new Error(`The end could not be marked: ${made.status}`);
    const watched = await readWatch(backend, `/api/v1/secrets?watch=true&resourceVersion=${from}`);
    const events = watched
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as WatchEvent);
    if (!events.some(({ type, object }) => type === "ADDED" && object.metadata.name === metadata.name)) {
      throw new Error(`The history of ${backend.clusterName} does not reach to the end`);
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

/** All that there is by now, as lines: a watch would go on. */
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
