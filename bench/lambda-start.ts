import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadBindings } from "../shared/bindings/load-bindings.ts";
import { waitFor } from "../shared/runtime/retry.ts";
import type { Backend } from "../test/harness/backend.ts";
import { buildRotation } from "../test/harness/build-function.ts";
import { labelUpdated, pinnedCluster, startRelay } from "../test/harness/relay.ts";
import { openScene, type Scene, type TestSource } from "../test/harness/scene.ts";
import { type Bench, machine, quantile, round } from "./bench.ts";
import { type LambdaStart, startInLambda } from "./lambda/start-in-lambda.ts";
import { startTlsFront } from "./lambda/tls-front.ts";
import { startBackend } from "./start-backend.ts";

/**
 * A cold start under Lambda's runtime client (aws-lambda-ric), which fetches events from a Runtime API, loads the built
 * function and invokes it. Reports each stage from the start of the process to the answer, the peak memory, and the
 * duration of a second rotation in the same process.
 *
 * Lambda's own steps before that (sandbox, code download) are not included. The servers are on loopback: add the round
 * trips of your network. The function calls Secrets Manager over TLS, as on AWS.
 */
export const lambdaStart: Bench = {
  summary: "a cold start under Lambda's runtime client, by stage",
  hasBackend: true,
  counts: { samples: { meaning: "starts", fallback: 15 } },
  run: async ({ backend: backendName, counts: { samples = 0 } }) => {
    const runtimeFolder = await installRuntime();
    const backend = await startBackend(backendName);
    Object.assign(process.env, backend.aws.env);
    const scene = await openScene(backend);
    const built = await buildRotation();
    const starts: LambdaStart[] = [];
    const folder = await mkdtemp(join(tmpdir(), "relay-lambda-"));
    const secretsManager = await startTlsFront(
      backend.aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? "",
      folder,
    );
    try {
      const names = Array.from({ length: samples + 1 }, (_, turn) => `db-${turn}`);
      const { sources, bindingsFile } = await prepare(backend, scene, names, folder);
      const env = {
        ...backend.aws.env,
        ...secretsManager.env,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
        BINDINGS_FILE: bindingsFile,
        POWERTOOLS_SERVICE_NAME: "rotation",
        POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
      };
      const functionArn = `arn:aws:lambda:${backend.aws.region}:${backend.aws.accountId}:function:relay-rotation`;
      for (const [turn, source] of sources.entries()) {
        const password = `value-${turn}`;
        const event = labelUpdated(backend, await scene.rotate(source, JSON.stringify({ password })));
        const lambda = { folder: built.folder, functionArn, env };
        const start = await startInLambda(runtimeFolder, lambda, [event, event]);
        const written = (await scene.readData(names[turn] ?? ""))?.password;
        if (written !== password) throw new Error(`Secret ${names[turn]} holds another value`);
        if (turn > 0) starts.push(start); // the first start fills the page cache
      }
      return { backend: backendName, samples, ...mediansOf(starts), machine: machine() };
    } finally {
      scene.close();
      await secretsManager.stop();
      await rm(folder, { recursive: true, force: true });
      await built.remove();
      await backend.stop();
    }
  },
};

/** Sources that are each bound to one Secret, written three minutes ago (relay-under-test.ts gives the reason). */
async function prepare(backend: Backend, scene: Scene, names: readonly string[], folder: string) {
  await scene.grant(names);
  const sources: TestSource[] = [];
  for (const name of names) {
    sources.push(
      await scene.createSource(`bench/${randomUUID()}/${name}`, JSON.stringify({ password: "first" })),
    );
  }
  const bindings = names.map((name, turn) => ({
    source: sources[turn]?.name,
    targets: [{ namespace: scene.namespace, name }],
  }));
  const past = await startRelay(backend, { bindings, now: () => Date.now() - 180_000, wait: waitFor });
  for (const { arn } of sources) await past.invoke({ secretId: arn });
  const file = { version: 1, clusters: { main: pinnedCluster(backend) }, bindings };
  const bindingsFile = join(folder, "bindings.json");
  await writeFile(bindingsFile, JSON.stringify(loadBindings(JSON.stringify(file), "bench")));
  return { sources, bindingsFile };
}

function mediansOf(starts: readonly LambdaStart[]) {
  const median = (of: (start: LambdaStart) => number) => round(quantile(starts.map(of), 0.5), 2);
  const stages = Object.keys(starts[0]?.stages ?? {});
  return {
    startP50Ms: median(({ startMs }) => startMs),
    eventP50Ms: median(({ eventMs }) => eventMs),
    totalP50Ms: median(({ startMs, eventMs }) => startMs + eventMs),
    stagesP50Ms: Object.fromEntries(
      stages.map((stage) => [stage, median((start) => start.stages[stage] ?? Number.NaN)]),
    ),
    repeatP50Ms: median(({ warmMs }) => warmMs),
    maxRssMB: median(({ maxRssMB }) => maxRssMB),
  };
}

async function installRuntime(): Promise<string> {
  const { stdout } = await promisify(execFile)(fileURLToPath(new URL("lambda/install.sh", import.meta.url)));
  return stdout.trim();
}
