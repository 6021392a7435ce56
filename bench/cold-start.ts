import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";
import { bundleOptions } from "../scripts/bundle.ts";
import { loadBindings } from "../shared/bindings/load-bindings.ts";
import { type Bench, machine, quantile, round } from "./bench.ts";

/**
 * The time that the rotation function's code adds to the start of a process, compared with a naive bundle of the same
 * packages.
 *
 * The bench takes the processor time (user and system) of whole processes, `node -e 'import("…/handler.mjs")'`, and
 * subtracts the bare `node -e 0`. Load on the machine changes it far less than elapsed time, and the kinds take turns. The naive bundle only loads its packages; ours also reads bindings and
 * creates its clients. Connections are not opened, for lack of a server.
 *
 * - `bundleBytes` counts every deployed file, `initialBytes` only the files that a start loads.
 * - `addedWithEksMs` includes the EKS client, which a start loads when a cluster's endpoint is not pinned.
 * - `addedWithCacheMs` uses V8's code cache on disk (NODE_COMPILE_CACHE), filled by the first start.
 */
export const coldStart: Bench = {
  summary: "the time that the function's code adds to the start of a process",
  hasBackend: false,
  counts: { samples: { meaning: "starts per kind", fallback: 15 } },
  run: async ({ counts: { samples = 0 } }) => {
    const folder = await mkdtemp(join(tmpdir(), "relay-cold-start-"));
    try {
      const ours = await buildOurs(join(folder, "ours"));
      if (ours.eksChunk === undefined) throw new Error("The EKS client is no longer a chunk of its own");
      const naive = await buildNaive(join(folder, "naive"));
      const withCache = { code: importing(ours.entry), env: { NODE_COMPILE_CACHE: join(folder, "cache") } };
      const { bare, ...timed } = await timeStarts(samples, {
        bare: "0",
        ours: importing(ours.entry),
        oursWithCache: withCache,
        oursWithEks: importing(ours.entry, ours.eksChunk),
        naive: importing(naive.entry),
      });
      const [addedMs, naiveAddedMs] = [timed.ours - bare, timed.naive - bare];
      return {
        bundleBytes: ours.bytes,
        addedMs: round(addedMs),
        addedWithCacheMs: round(timed.oursWithCache - bare),
        naiveBytes: naive.bytes,
        naiveAddedMs: round(naiveAddedMs),
        ratio: round(addedMs / naiveAddedMs, 3),
        initialBytes: ours.initialBytes,
        addedWithEksMs: round(timed.oursWithEks - bare),
        bareMs: round(bare),
        samples,
        machine: machine(),
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Bundle = { readonly entry: string; readonly bytes: number; readonly initialBytes: number };

export async function buildOurs(
  outdir: string,
  options: BuildOptions & { metafile: true } = bundleOptions("rotation", outdir),
): Promise<Bundle & { eksChunk: string | undefined }> {
  const { metafile } = await build({ ...options, plugins: [...(options.plugins ?? []), noWarmUp] });
  const cluster = { name: "main", region: "eu-west-1" };
  const bindings = [{ source: "prod/db", targets: [{ namespace: "app", name: "db" }] }];
  const compiled = loadBindings(
    JSON.stringify({ version: 1, clusters: { main: cluster }, bindings }),
    "bench",
  );
  await writeFile(join(outdir, "bindings.json"), JSON.stringify(compiled));
  const isEks = ({ entryPoint = "" }) => entryPoint.endsWith("describe-with-eks.ts");
  const eksChunk = Object.entries(metafile.outputs).find(([, output]) => isEks(output))?.[0];
  return {
    entry: join(outdir, "handler.mjs"),
    eksChunk: eksChunk && join(outdir, "chunks", basename(eksChunk)),
    ...measure(metafile),
  };
}

/** The function opens connections when it starts, and this bench has no server. */
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

/** The median of each kind in ms. */
export async function timeStarts<Kind extends string>(
  samples: number,
  starts: Record<Kind, Start>,
): Promise<Record<Kind, number>> {
  const kinds = (Object.entries(starts) as [Kind, Start][]).map(([kind, start]) => ({
    kind,
    start,
    times: [] as number[],
  }));
  // The first turn reads the files into the page cache and is not counted.
  for (let turn = 0; turn <= samples; turn += 1) {
    for (const { start, times } of kinds) {
      const ms = await timeStart(start);
      if (turn > 0) times.push(ms);
    }
  }
  return Object.fromEntries(kinds.map(({ kind, times }) => [kind, quantile(times, 0.5)])) as Record<
    Kind,
    number
  >;
}

export function importing(...files: readonly string[]): string {
  return files.map((file) => `await import(${JSON.stringify(file)});`).join(" ");
}

async function timeStart(start: Start): Promise<number> {
  const { code, env } = typeof start === "string" ? { code: start, env: {} } : start;
  const program = `${code};${PRINT_CPU_MS}`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
    env: { ...ENV, ...env },
  });
  return Number(stdout);
}

/** The code that a process runs, optionally with more environment variables. */
type Start = string | { readonly code: string; readonly env: Readonly<Record<string, string>> };

const PRINT_CPU_MS = `
const { user, system } = process.cpuUsage();
process.stdout.write(String((user + system) / 1000), () => process.exit());`;

const run = promisify(execFile);

/** As in Lambda; the credentials are never used. */
const ENV = {
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  POWERTOOLS_SERVICE_NAME: "rotation",
  POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
};
