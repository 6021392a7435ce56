import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadBindings } from "../shared/bindings/load-bindings.ts";
import type { LambdaHandler } from "../shared/observability/middlewares.ts";
import type { Backend, KubernetesBackend } from "../test/contract/backend.ts";
import { labelUpdated, lambdaContext, pinnedCluster, startRelay } from "../test/contract/relay.ts";
import { openScene, type Scene, type TestSource } from "../test/contract/scene.ts";
import { buildRotation } from "../test/rotation/build-function.ts";
import type { SandboxBackend } from "../test/sandbox/start-backend.ts";
import { connectBareClient } from "./bare-client.ts";
import type { BackendName } from "./bench.ts";
import { startBackend } from "./start-backend.ts";

/** The built rotation function on a backend, with sources that are each bound to one Secret, written long ago. */
export type RelayUnderTest = {
  /** Moves the label of one source to a new value; returns the event that says so. */
  rotate(index: number): Promise<object>;
  /** One invocation, with its logs and metrics written to where nobody reads. */
  invoke(event: object): Promise<unknown>;
  /** Throws when the Secret does not hold the value of the last rotation. */
  mustHold(index: number): Promise<void>;
  /** The three calls of a rotation of this source and nothing else, by a bare client that is connected already; in ms. */
  bareRoundTrips(index: number): Promise<number>;
  stop(): Promise<void>;
};

/**
 * What Lambda runs is measured: the bundle, with middy, Powertools, real AWS clients and the compiled bindings.
 *
 * Each source has a first value that reached its Secret minutes ago: rotations are days apart in reality, and the relay
 * reads a source twice when it would replace a write of its own that is younger than a minute. So the first write is
 * done by a relay whose clock is set back.
 */
export async function startRelayUnderTest(
  backendName: BackendName,
  sourceCount: number,
  clusterCount = 1,
): Promise<RelayUnderTest> {
  const backend = await startBackend(backendName);
  const more: KubernetesBackend[] = [];
  try {
    while (more.length + 1 < clusterCount) more.push(await startAnotherCluster(backend, more.length + 1));
    return await prepare(backend, [backend.kubernetes, ...more], sourceCount);
  } catch (error) {
    await Promise.all(more.map((cluster) => cluster.stop()));
    await backend.stop();
    throw error;
  }
}

/** Of the same account: the sandbox has as many as one wants. */
async function startAnotherCluster(backend: Backend, number: number): Promise<KubernetesBackend> {
  if (!("sandbox" in backend)) throw new RangeError("The real servers are one cluster");
  const { aws } = (backend as SandboxBackend).sandbox;
  const { startKubernetesSandbox } = await import("../sandbox/kubernetes/server.ts");
  const clusterName = `sandbox-${number}`;
  const credentialsOf = (accessKeyId: string) => aws.credentialsOf(accessKeyId);
  return startKubernetesSandbox({ clusterName, region: aws.region, credentialsOf });
}

async function prepare(
  backend: Backend,
  clusters: readonly KubernetesBackend[],
  sourceCount: number,
): Promise<RelayUnderTest> {
  Object.assign(process.env, backend.aws.env, {
    POWERTOOLS_SERVICE_NAME: "rotation",
    POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
  });
  const places: Place[] = [];
  for (const [at, kubernetes] of clusters.entries()) {
    const here = { ...backend, kubernetes };
    places.push({ clusterKey: `cluster-${at}`, backend: here, scene: await openScene(here) });
  }
  const placeOf = (index: number): Place => places[index % places.length] as Place;
  const { scene } = placeOf(0);
  const names = Array.from({ length: sourceCount }, (_, index) => `db-${index}`);
  for (const place of places) await place.scene.grant(names);
  const sources: TestSource[] = [];
  // One after the other: moto answers 500 when its threads add secrets at the same time.
  for (const name of names) {
    sources.push(await scene.createSource(`bench/${randomUUID()}/${name}`, sourceValue("first", name)));
  }
  const bindings = names.map((name, index) => ({
    source: sources[index]?.name,
    targets: [{ cluster: placeOf(index).clusterKey, namespace: placeOf(index).scene.namespace, name }],
  }));
  const bound = Object.fromEntries(places.map((place) => [place.clusterKey, pinnedCluster(place.backend)]));

  const past = await startRelay(backend, {
    bindings,
    clusters: bound,
    now: () => Date.now() - WRITTEN_AGO_MS,
  });
  await inTurns(sources, async (source) => {
    const { targets } = await past.invoke({ secretId: source.arn });
    if (targets[0]?.outcome !== "written")
      throw new Error(`The first write failed: ${JSON.stringify(targets)}`);
  });

  const built = await buildRotation();
  const bindingsFile = join(built.folder, "bindings.json");
  const file = { version: 1, clusters: bound, bindings };
  await writeFile(bindingsFile, JSON.stringify(loadBindings(JSON.stringify(file), "bench")));
  process.env.BINDINGS_FILE = bindingsFile;
  const { handler } = (await import(pathToFileURL(built.handlerFile).href)) as { handler: LambdaHandler };

  const bare = await connectBareClient(placeOf(0).backend);
  const expected = names.map(() => "");
  return {
    rotate: async (index) => {
      const [source, name] = [sources[index], names[index]];
      if (source === undefined || name === undefined) throw new RangeError(`There is no source ${index}`);
      const value = randomUUID();
      expected[index] = value;
      return labelUpdated(backend, await scene.rotate(source, sourceValue(value, name)));
    },
    invoke: (event) => handler(event, lambdaContext(backend, TIMEOUT_MS)),
    mustHold: async (index) => {
      const data = await placeOf(index).scene.readData(names[index] ?? "");
      if (data?.password !== expected[index]) throw new Error(`Secret ${names[index]} holds another value`);
    },
    bareRoundTrips: async (index) => {
      const [source, name] = [sources[index], names[index]];
      if (source === undefined || name === undefined) throw new RangeError(`There is no source ${index}`);
      const { scene: at } = placeOf(index);
      const value = sourceValue(randomUUID(), name);
      await scene.rotate(source, value);
      return bare.time({ secretId: source.arn, namespace: at.namespace, name, value });
    },
    stop: async () => {
      bare.close();
      for (const place of places) place.scene.close();
      await built.remove();
      for (const { stop } of clusters.slice(1)) await stop();
      await backend.stop();
    },
  };
}

type Place = { readonly clusterKey: string; readonly backend: Backend; readonly scene: Scene };

/** Of template.yaml. */
const TIMEOUT_MS = 60_000;

/** Three minutes: the write is no longer fresh, and the token that was signed then still holds. */
const WRITTEN_AGO_MS = 3 * 60_000;

function sourceValue(password: string, user: string): string {
  return JSON.stringify({ username: user, password, host: `${user}.example.com`, port: "5432" });
}

/** Some at a time: preparation is not what is measured, and 200 requests at once would only fight each other. */
async function inTurns<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

/** Logs and metrics go to stdout, as in Lambda; here they are formatted and counted, and dropped at the last step. */
export async function withoutOutput<T>(run: () => Promise<T>): Promise<T> {
  const { write } = process.stdout;
  process.stdout.write = () => true;
  try {
    return await run();
  } finally {
    process.stdout.write = write;
  }
}
