import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";
import { bundleOptions } from "../scripts/bundle.ts";
import { type Bench, machine, quantile, round } from "./bench.ts";
import { forkServer } from "./fork-server.ts";
import { manyBindings } from "./many-bindings.ts";
import type { ServedBindings } from "./serve-published-bindings.ts";

/**
 * The time that the rotation function's code adds to the start of a process, compared with a naive bundle of the same
 * packages, and the time that published bindings add to it.
 *
 * The bench takes the processor time (user and system) of whole processes, `node -e 'import("…/handler.mjs")'`, and
 * subtracts the bare `node -e 0`. Load on the machine changes it far less than elapsed time, and the kinds take turns.
 * The naive bundle only loads its packages; ours also reads bindings and creates its clients.
 *
 * - `addedWithFileMs`: with a local file of 10 bindings, and without opening connections.
 * - `publishedMs`: what `--bindings N` published bindings add to that, until the first event has found its bindings. The
 *   function as deployed reads the pointer and one part from a sandbox in another process, over TLS; subtracted is the
 *   same with the local file. Both open the connections that every start opens, which are therefore not counted.
 * - `addedMs`: the sum of both. `addedWith10Ms`: the same for 10 published bindings.
 * - `connectedMs`: the whole start as deployed, connections and first event included.
 * - `bundleBytes` counts every deployed file, `initialBytes` only the files that a start loads.
 * - `addedWithEksMs` includes the EKS client, which a start loads when a cluster's endpoint is not pinned.
 * - `addedWithCacheMs` uses V8's code cache on disk (NODE_COMPILE_CACHE), filled by the first start.
 */
export const coldStart: Bench = {
  summary: "the time that the function's code and bindings add to the start of a process",
  hasBackend: false,
  counts: {
    samples: { meaning: "starts per kind", fallback: 15 },
    bindings: { meaning: "published bindings", fallback: 10_000 },
  },
  run: async ({ counts: { samples = 0, bindings = 0 } }) => {
    const folder = await mkdtemp(join(tmpdir(), "relay-cold-start-"));
    const published = await forkServer<ServedBindings>("serve-published-bindings.ts", [FEW, bindings]);
    try {
      const { cluster, buckets } = published;
      const ours = await buildOurs(join(folder, "ours"), cluster);
      if (ours.eksChunk === undefined) throw new Error("The EKS client is no longer a chunk of its own");
      const naive = await buildNaive(join(folder, "naive"));
      const deployed = join(folder, "deployed");
      await build(bundleOptions("rotation", deployed));
      const { env: local } = ours;
      const authority = join(folder, "authority.pem");
      await writeFile(authority, published.authority);
      const toServers = { ...published.env, NODE_EXTRA_CA_CERTS: authority };
      const findWith = (env: Env): Start => ({
        code: findingBindings(join(deployed, "handler.mjs")),
        env: { ...toServers, ...env },
      });
      const [few, many] = buckets.map((name) => ({ BINDINGS_BUCKET: name }));
      if (few === undefined || many === undefined) throw new Error("A bucket is missing");
      const { bare, ...timed } = await timeStarts(samples, {
        bare: "0",
        ours: { code: importing(ours.entry), env: local },
        oursWithCache: {
          code: importing(ours.entry),
          env: { ...local, NODE_COMPILE_CACHE: join(folder, "cache") },
        },
        oursWithEks: { code: importing(ours.entry, ours.eksChunk), env: local },
        naive: importing(naive.entry),
        connected: findWith(local),
        connectedWith10: findWith(few),
        connectedWithMany: findWith(many),
      });
      const addedMs = (start: StartCost) => start.cpuMs - bare.cpuMs;
      const publishedMs = (start: StartCost) => start.cpuMs - timed.connected.cpuMs;
      const added = addedMs(timed.ours) + publishedMs(timed.connectedWithMany);
      return {
        bindings,
        bundleBytes: ours.bytes,
        addedMs: round(added),
        addedWith10Ms: round(addedMs(timed.ours) + publishedMs(timed.connectedWith10)),
        addedWithFileMs: round(addedMs(timed.ours)),
        publishedMs: round(publishedMs(timed.connectedWithMany)),
        connectedMs: round(addedMs(timed.connectedWithMany)),
        maxRssMB: round(timed.connectedWithMany.maxRssMB),
        maxRssWithFileMB: round(timed.connected.maxRssMB),
        addedWithCacheMs: round(addedMs(timed.oursWithCache)),
        naiveBytes: naive.bytes,
        naiveAddedMs: round(addedMs(timed.naive)),
        ratio: round(added / addedMs(timed.naive), 3),
        initialBytes: ours.initialBytes,
        addedWithEksMs: round(addedMs(timed.oursWithEks)),
        bareMs: round(bare.cpuMs),
        samples,
        machine: machine(),
      };
    } finally {
      published.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const FEW = 10;

type Bundle = { readonly entry: string; readonly bytes: number; readonly initialBytes: number };

/** Without warm-up. `env` names a local file of 10 bindings. */
export async function buildOurs(
  outdir: string,
  cluster: object = { name: "main", region: "eu-west-1" },
  options: BuildOptions & { metafile: true } = bundleOptions("rotation", outdir),
): Promise<Bundle & { eksChunk: string | undefined; env: { BINDINGS_FILE: string } }> {
  const { metafile } = await build({ ...options, plugins: [...(options.plugins ?? []), noWarmUp] });
  const bindingsFile = join(outdir, "bindings.json");
  await writeFile(bindingsFile, JSON.stringify(manyBindings(FEW, cluster)));
  const isEks = ({ entryPoint = "" }) => entryPoint.endsWith("describe-with-eks.ts");
  const eksChunk = Object.entries(metafile.outputs).find(([, output]) => isEks(output))?.[0];
  return {
    entry: join(outdir, "handler.mjs"),
    env: { BINDINGS_FILE: bindingsFile },
    eksChunk: eksChunk && join(outdir, "chunks", basename(eksChunk)),
    ...measure(metafile),
  };
}

/** The function opens connections when it starts. */
const noWarmUp: Plugin = {
  name: "no-warm-up",
  setup(build) {
    let isReplaced = false;
    build.onLoad({ filter: /shared\/relay\/warm-up\.ts$/ }, () => {
      isReplaced = true;
      return { contents: "export async function warmUp() {}", loader: "ts" };
    });
    build.onEnd(() => (isReplaced ? {} : { errors: [{ text: "shared/relay/warm-up.ts has moved" }] }));
  },
};

/** Every package that the function uses, imported as its own documentation shows it. */
const NAIVE_SOURCE = `
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { DescribeClusterCommand, EKSClient } from "@aws-sdk/client-eks";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import { SignatureV4 } from "@smithy/signature-v4";
export const used = [CoreV1Api, KubeConfig, DescribeClusterCommand, EKSClient, GetSecretValueCommand,
  SecretsManagerClient, Logger, injectLambdaContext, Metrics, logMetrics, middy, SignatureV4];
`;

/** The same options without the build measures: no splitting, nothing replaced or left out. */
async function buildNaive(outdir: string): Promise<Bundle> {
  const ours = bundleOptions("rotation", outdir);
  const { absWorkingDir, banner, bundle, format, mainFields, minify, outExtension, platform, target } = ours;
  await mkdir(outdir, { recursive: true });
  const { metafile } = await build({
    stdin: { contents: NAIVE_SOURCE, resolveDir: absWorkingDir },
    outfile: join(outdir, "handler.mjs"),
    metafile: true,
    ...{ absWorkingDir, banner, bundle, format, mainFields, minify, outExtension, platform, target },
  } satisfies BuildOptions);
  return { entry: join(outdir, "handler.mjs"), ...measure(metafile) };
}

function measure({ outputs }: Metafile): Omit<Bundle, "entry"> {
  const entry = Object.keys(outputs).find((file) => file.endsWith("handler.mjs"));
  if (entry === undefined) throw new Error("esbuild did not write handler.mjs");
  const loaded = new Set([entry]);
  for (const file of loaded) {
    const imports = outputs[file]?.imports ?? [];
    for (const { kind, path } of imports)
      if (kind === "import-statement" && path in outputs) loaded.add(path);
  }
  const bytesOf = (files: Iterable<string>) =>
    [...files].reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0);
  return { bytes: bytesOf(Object.keys(outputs)), initialBytes: bytesOf(loaded) };
}

/** The medians of each kind. */
export async function timeStarts<Kind extends string>(
  samples: number,
  starts: Record<Kind, Start>,
): Promise<Record<Kind, StartCost>> {
  const kinds = (Object.entries(starts) as [Kind, Start][]).map(([kind, start]) => ({
    kind,
    start,
    costs: [] as StartCost[],
  }));
  // The first turn reads the files into the page cache and is not counted.
  for (let turn = 0; turn <= samples; turn += 1) {
    for (const { start, costs } of kinds) {
      const cost = await timeStart(start);
      if (turn > 0) costs.push(cost);
    }
  }
  return Object.fromEntries(kinds.map(({ kind, costs }) => [kind, medianOf(costs)])) as Record<
    Kind,
    StartCost
  >;
}

type StartCost = { readonly cpuMs: number; readonly maxRssMB: number };

const medianOf = (costs: readonly StartCost[]): StartCost => ({
  cpuMs: quantile(
    costs.map(({ cpuMs }) => cpuMs),
    0.5,
  ),
  maxRssMB: quantile(
    costs.map(({ maxRssMB }) => maxRssMB),
    0.5,
  ),
});

export function importing(...files: readonly string[]): string {
  return files.map((file) => `await import(${JSON.stringify(file)});`).join(" ");
}

/** The first event finds its bindings: none, so the start ends there. The part of its source is read all the same. */
function findingBindings(file: string): string {
  const functionArn = "arn:aws:lambda:eu-west-1:111122223333:function:rotation";
  return `const { handler } = await import(${JSON.stringify(file)});
const { targets } = await handler({ secretId: "prod/unbound" }, {
  functionName: "rotation", invokedFunctionArn: "${functionArn}", awsRequestId: "1", memoryLimitInMB: "512",
  getRemainingTimeInMillis: () => 60_000,
});
if (targets.length > 0) throw new Error("The source is bound")`;
}

async function timeStart(start: Start): Promise<StartCost> {
  const { code, env } = typeof start === "string" ? { code: start, env: {} } : start;
  const program = `${code};${PRINT_COST}`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
    env: { ...ENV, ...env },
  });
  return JSON.parse(stdout.slice(stdout.lastIndexOf("\n"))) as StartCost; // the function prints metrics before
}

/** The code that a process runs, optionally with more environment variables. */
type Start = string | { readonly code: string; readonly env: Env };

type Env = Readonly<Record<string, string>>;

const PRINT_COST = `
const { user, system } = process.cpuUsage();
const cost = { cpuMs: (user + system) / 1000, maxRssMB: process.resourceUsage().maxRSS / 1024 };
process.stdout.write("\\n" + JSON.stringify(cost), () => process.exit());`;

const run = promisify(execFile);

/** As in Lambda; the credentials are never used. */
const ENV = {
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  POWERTOOLS_SERVICE_NAME: "rotation",
  POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
};
