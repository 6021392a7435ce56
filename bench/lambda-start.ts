import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadBindings } from "../shared/bindings/load-bindings.ts";
import { labelUpdated, pinnedCluster, startRelay } from "../test/contract/relay.ts";
import { openScene, type TestSource } from "../test/contract/scene.ts";
import { buildRotation } from "../test/rotation/build-function.ts";
import { type BackendName, type Bench, machine, quantile, round } from "./bench.ts";
import { type LambdaStart, type Stages, startInLambda } from "./lambda/start-in-lambda.ts";
import { startTlsFront } from "./lambda/tls-front.ts";

/**
 * A cold start as Lambda makes it: its own runtime client (aws-lambda-ric) fetches events from a Runtime API, loads the
 * built function and hands them over. Told by stage, from the start of the process to the answer, with the memory that
 * the process took at most, and the time of a second rotation in the same process.
 *
 * What Lambda does before that (a sandbox, the download of the code) can't be had on another machine. Servers are on
 * loopback, where a round trip takes no time: add those of your network, of which the fence needs three.
 */
export const lambdaStart: Bench = {
  summary: "a cold start by Lambda's own runtime client, by stage",
  hasBackend: true,
  counts: { samples: { means: "starts", otherwise: 15 } },
  run: async ({ backend: backendName, counts: { samples = 0 } }) => {
    const runtimeFolder = await installRuntime();
    const backend = await startBackend(backendName);
    Object.assign(process.env, backend.aws.env);
    const scene = await openScene(backend);
    const built = await buildRotation();
    const folder = await mkdtemp(join(tmpdir(), "relay-lambda-"));
    const secretsManager = await startTlsFront(backend.aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? "", folder);
    try {
      const names = Array.from({ length: samples + 1 }, (_, turn) => `db-${turn}`);
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
      // Written three minutes ago: a write of the last minute would be confirmed by one more read.
      const past = await startRelay(backend, { bindings, now: () => Date.now() - 180_000 });
      for (const { arn } of sources) await past.invoke({ secretId: arn });
      const file = { version: 1, clusters: { main: pinnedCluster(backend) }, bindings };
      const bindingsFile = join(folder, "bindings.json");
      await writeFile(bindingsFile, JSON.stringify(loadBindings(JSON.stringify(file), "bench")));
      const { region, accountId, env } = backend.aws;
      const lambda = {
        folder: built.folder,
        functionArn: `arn:aws:lambda:${region}:${accountId}:function:relay-rotation`,
        env: {
          ...env,
          ...secretsManager.env,
          AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
          BINDINGS_FILE: bindingsFile,
          POWERTOOLS_SERVICE_NAME: "rotation",
          POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
        },
      };
      const starts: LambdaStart[] = [];
      for (const [turn, source] of sources.entries()) {
        const password = `value-${turn}`;
        const event = labelUpdated(backend, await scene.rotate(source, JSON.stringify({ password })));
        const start = await startInLambda(runtimeFolder, lambda, [event, event]);
        const held = (await scene.readData(names[turn] ?? ""))?.password;
        if (held !== password) throw new Error("The Secret holds another value");
        if (turn > 0) starts.push(start); // the first fills the page cache, and is not counted
      }
      const median = (of: (start: LambdaStart) => number) => round(quantile(starts.map(of), 0.5), 2);
      const stages = Object.keys(starts[0]?.stages ?? {}) as (keyof Stages)[];
      return {
        backend: backendName,
        samples,
        totalP50Ms: median(({ totalMs }) => totalMs),
        stagesP50Ms: Object.fromEntries(
          stages.map((stage) => [stage, median((start) => start.stages[stage])]),
        ),
        repeatP50Ms: median(({ warmMs }) => warmMs),
        maxRssMB: median(({ maxRssMB }) => maxRssMB),
        machine: machine(),
      };
    } finally {
      scene.close();
      await secretsManager.stop();
      await rm(folder, { recursive: true, force: true });
      await built.remove();
      await backend.stop();
    }
  },
};

async function installRuntime(): Promise<string> {
  const { stdout } = await promisify(execFile)(fileURLToPath(new URL("lambda/install.sh", import.meta.url)));
  return stdout.trim();
}

async function startBackend(name: BackendName) {
  if (name === "real") return (await import("../test/real/start-backend.ts")).startRealBackend();
  return (await import("../test/sandbox/start-backend.ts")).startSandboxBackend();
}
