import { randomUUID } from "node:crypto";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { Backend, KubernetesBackend } from "../test/harness/backend.ts";
import { realClock } from "../test/harness/clock.ts";
import type { BackendName } from "./bench.ts";
import { forkServer } from "./fork-server.ts";
import type { ServedNetwork } from "./serve-network.ts";
import type { ServedSandbox } from "./serve-sandbox.ts";
import { startBackend } from "./start-backend.ts";

/** The servers of a rotation. None of them is in the relay's process, so its processor time is its own. */
export type Servers = Reached & {
  /** Empty. */
  readonly bucketName: string;
  /** The same servers as the relay reaches them, at the other end of a network. */
  readonly network: Reached;
  stop(): Promise<void>;
};

type Reached = {
  /** With the first cluster. */
  readonly backend: Backend;
  readonly clusters: readonly KubernetesBackend[];
};

/** A round trip of 0 ms is the loopback alone. */
export async function startServers(
  name: BackendName,
  clusterCount: number,
  roundTripMs: number,
): Promise<Servers> {
  const servers = await (name === "sandbox"
    ? startSandboxServers(clusterCount)
    : startRealServers(clusterCount));
  if (roundTripMs === 0) return { ...servers, network: servers };
  const network = await startNetwork(servers, roundTripMs);
  const stop = async () => {
    network.stop();
    await servers.stop();
  };
  return { ...servers, network, stop };
}

type NearServers = Omit<Servers, "network">;

async function startSandboxServers(clusterCount: number): Promise<NearServers> {
  const bucketName = newBucketName();
  const { stop, ...served } = await forkServer<ServedSandbox>("serve-sandbox.ts", [bucketName, clusterCount]);
  const noRestart = async () => {
    throw new Error("The bench does not restart a server");
  };
  const withProcess = { kill: noRestart, startAgain: noRestart, stop: async () => {} };
  const clusters = served.clusters.map((cluster) => ({ ...cluster, ...withProcess }));
  const [kubernetes] = clusters;
  if (kubernetes === undefined) throw new TypeError("A sandbox has a cluster");
  const aws = { ...served.aws, stop: async () => {} };
  const backend: Backend = { name: "sandbox", aws, kubernetes, clock: realClock, stop: async () => stop() };
  return { backend, clusters, bucketName, stop: backend.stop };
}

/** S3 is a moto of its own: one moto has one thread, so the pointer would wait for GetSecretValue. */
async function startRealServers(clusterCount: number): Promise<NearServers> {
  if (clusterCount > 1) throw new RangeError("The real backend has a single cluster. Use --clusters 1.");
  const backend = await startBackend("real");
  try {
    const { startMoto } = await import("../test/real/aws/start.ts");
    const s3 = await startMoto();
    const stop = async () => {
      await s3.stop();
      await backend.stop();
    };
    const endpoint = s3.env.AWS_ENDPOINT_URL_S3 ?? "";
    const env = { ...backend.aws.env, AWS_ENDPOINT_URL_S3: endpoint };
    const bucketName = newBucketName();
    await createBucket(env, bucketName);
    return {
      backend: { ...backend, aws: { ...backend.aws, env } },
      clusters: [backend.kubernetes],
      bucketName,
      stop,
    };
  } catch (error) {
    await backend.stop();
    throw error;
  }
}

async function createBucket(env: Backend["aws"]["env"], Bucket: string): Promise<void> {
  const { AWS_REGION: region = "", AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY = "" } = env;
  const s3 = new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey: AWS_SECRET_ACCESS_KEY },
    endpoint: env.AWS_ENDPOINT_URL_S3 ?? "",
    forcePathStyle: true,
  });
  const CreateBucketConfiguration = { LocationConstraint: region as "eu-west-1" };
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  s3.destroy();
}

const newBucketName = (): string => `bench-${randomUUID()}`;

async function startNetwork(
  { backend, clusters }: Reached,
  roundTripMs: number,
): Promise<Reached & { readonly stop: () => void }> {
  const urls = [...Object.values(backend.aws.env), ...clusters.map(({ endpoint }) => endpoint)];
  const targets = new Set(urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).port));
  const { ports, stop } = await forkServer<ServedNetwork>("serve-network.ts", [roundTripMs, ...targets]);
  const behind = (url: string): string =>
    url.replace(/(?<=^https?:\/\/127\.0\.0\.1:)\d+$/, (port) => String(ports[port]));
  const env = Object.fromEntries(Object.entries(backend.aws.env).map(([name, url]) => [name, behind(url)]));
  const far = clusters.map((cluster) => ({ ...cluster, endpoint: behind(cluster.endpoint) }));
  const [kubernetes = backend.kubernetes] = far;
  return { backend: { ...backend, aws: { ...backend.aws, env }, kubernetes }, clusters: far, stop };
}
