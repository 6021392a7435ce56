import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openAwsSession } from "../cli/live/aws-session.ts";
import { publishBindings } from "../cli/publish/publish-bindings.ts";
import { withBindingsBucket } from "../cli/publish/s3-bucket.ts";
import type { CompiledBindings } from "../shared/bindings/binding.ts";
import { loadBindings } from "../shared/bindings/load-bindings.ts";
import type { LambdaHandler } from "../shared/runtime/middlewares.ts";
import { waitFor } from "../shared/runtime/retry.ts";
import type { Backend, KubernetesBackend } from "../test/harness/backend.ts";
import { type BuiltFunction, buildRotation } from "../test/harness/build-function.ts";
import { labelUpdated, lambdaContext, pinnedCluster, startRelay } from "../test/harness/relay.ts";
import { openScene, type Scene, type TestSource } from "../test/harness/scene.ts";
import { connectBareClient } from "./bare-client.ts";
import type { BackendName } from "./bench.ts";
import { type Servers, startServers } from "./start-servers.ts";

/** The built rotation function on a backend, with sources that are each bound to one Secret written minutes ago. */
export type RelayUnderTest = {
  /** Rotates one source to a new value, and returns the event. */
  rotate(index: number): Promise<object>;
  /** One invocation of the handler, by published bindings as deployed, or by a local file of the same bindings. */
  invoke(event: object, bindings?: "published" | "file"): Promise<unknown>;
  /** Throws unless the Secret holds the value of the last rotation. */
  mustHold(index: number): Promise<void>;
  /** The duration in ms of the three calls of a rotation by a bare, connected client. */
  bareRoundTrips(index: number): Promise<number>;
  stop(): Promise<void>;
};

/**
 * Imports the bundle as Lambda does, with middy, Powertools, AWS clients and published bindings.
 *
 * A relay whose clock is set back three minutes writes each Secret first. Real rotations are days apart, and the relay
 * reads a source twice before it replaces its own write of less than a minute ago.
 */
export async function startRelayUnderTest(
  backendName: BackendName,
  { sourceCount, clusterCount = 1, roundTripMs = 0 }: RelayUnderTestOptions,
): Promise<RelayUnderTest> {
  const servers = await startServers(backendName, clusterCount, roundTripMs);
  try {
    return await prepare(servers, sourceCount);
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

export type RelayUnderTestOptions = {
  readonly sourceCount: number;
  readonly clusterCount?: number;
  /** Between the relay and each server; 0 for the loopback alone. */
  readonly roundTripMs?: number;
};

async function prepare(
  { backend, clusters, bucketName, network, stop }: Servers,
  sourceCount: number,
): Promise<RelayUnderTest> {
  Object.assign(process.env, network.backend.aws.env, {
    POWERTOOLS_SERVICE_NAME: "rotation",
    POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
  });
  const locations: Location[] = [];
  for (const [index, kubernetes] of clusters.entries()) {
    const ofCluster = { ...backend, kubernetes };
    locations.push({ clusterKey: `cluster-${index}`, backend: ofCluster, scene: await openScene(ofCluster) });
  }
  const locationOf = (index: number): Location => locations[index % locations.length] as Location;
  const { scene } = locationOf(0);
  const names = Array.from({ length: sourceCount }, (_, index) => `db-${index}`);
  for (const location of locations) await location.scene.grant(names);
  const sources: TestSource[] = [];
  // Sequential: moto answers 500 when it creates secrets concurrently.
  for (const name of names) {
    sources.push(await scene.createSource(`bench/${randomUUID()}/${name}`, sourceValue("first", name)));
  }
  const bindings = names.map((name, index) => ({
    source: sources[index]?.name,
    targets: [{ cluster: locationOf(index).clusterKey, namespace: locationOf(index).scene.namespace, name }],
  }));
  const clustersBehind = (reached: readonly KubernetesBackend[]) =>
    Object.fromEntries(
      reached.map((kubernetes, index) => [`cluster-${index}`, pinnedCluster({ ...backend, kubernetes })]),
    );

  const past = await startRelay(backend, {
    bindings,
    clusters: clustersBehind(clusters),
    now: () => Date.now() - WRITTEN_AGO_MS,
    wait: waitFor,
  });
  await withWorkers(sources, async (source) => {
    const { targets } = await past.invoke({ secretId: source.arn });
    if (targets[0]?.outcome !== "written")
      throw new Error(`The first write failed: ${JSON.stringify(targets)}`);
  });

  const file = { version: 1, clusters: clustersBehind(network.clusters), bindings };
  const compiled = loadBindings(JSON.stringify(file), "bench");
  const built = await buildRotation();
  const bindingsFile = join(built.folder, "bindings.json");
  await writeFile(bindingsFile, JSON.stringify(compiled));
  await publish(compiled, bucketName);
  const handlers = {
    published: await startHandler(built, { BINDINGS_BUCKET: bucketName }),
    file: await startHandler(built, { BINDINGS_FILE: bindingsFile }),
  };

  const bare = await connectBareClient(network.backend);
  const expected = names.map(() => "");
  return {
    rotate: async (index) => {
      const [source, name] = [sources[index], names[index]];
      if (source === undefined || name === undefined) throw new RangeError(`Unknown source: ${index}`);
      const value = randomUUID();
      expected[index] = value;
      return labelUpdated(backend, await scene.rotate(source, sourceValue(value, name)));
    },
    invoke: (event, by = "published") => handlers[by](event, lambdaContext(backend, TIMEOUT_MS)),
    mustHold: async (index) => {
      const data = await locationOf(index).scene.readData(names[index] ?? "");
      if (data?.password !== expected[index]) throw new Error(`Secret ${names[index]} holds another value`);
    },
    bareRoundTrips: async (index) => {
      const [source, name] = [sources[index], names[index]];
      if (source === undefined || name === undefined) throw new RangeError(`Unknown source: ${index}`);
      const { scene: target } = locationOf(index);
      const value = sourceValue(randomUUID(), name);
      await scene.rotate(source, value);
      return bare.time({ secretId: source.arn, namespace: target.namespace, name, value });
    },
    stop: async () => {
      bare.close();
      for (const location of locations) location.scene.close();
      await built.remove();
      await stop();
    },
  };
}

/** One execution environment: the module reads its settings when it is imported. */
async function startHandler(
  { handlerFile }: BuiltFunction,
  settings: Record<string, string>,
): Promise<LambdaHandler> {
  Object.assign(process.env, settings);
  const module = (await import(`${pathToFileURL(handlerFile).href}?${Object.keys(settings)}`)) as {
    handler: LambdaHandler;
  };
  for (const name of Object.keys(settings)) delete process.env[name];
  return module.handler;
}

async function publish(compiled: CompiledBindings, bucketName: string): Promise<void> {
  const aws = await openAwsSession({});
  const publisher = { callerArn: aws.callerArn, now: Date.now, reportProgress: () => {} };
  await withBindingsBucket(aws, bucketName, (bucket) =>
    publishBindings(bucket, compiled, undefined, publisher),
  );
}

type Location = { readonly clusterKey: string; readonly backend: Backend; readonly scene: Scene };

/** As in template.yaml. */
const TIMEOUT_MS = 60_000;

/** Longer than the minute in which a write counts as fresh, and shorter than the life of the token. */
const WRITTEN_AGO_MS = 3 * 60_000;

function sourceValue(password: string, user: string): string {
  return JSON.stringify({ username: user, password, host: `${user}.example.com`, port: "5432" });
}

/** Four at a time, since 200 concurrent requests would only compete for the same cores. */
async function withWorkers<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

/** Drops logs and metrics at stdout, after the function has formatted them. */
export async function withoutOutput<T>(run: () => Promise<T>): Promise<T> {
  const { write } = process.stdout;
  process.stdout.write = () => true;
  try {
    return await run();
  } finally {
    process.stdout.write = write;
  }
}
