import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BuildOptions, build } from "esbuild";
import { bundleOptions } from "../scripts/bundle.ts";
import { type Bench, machine, quantile, round } from "./bench.ts";
import { buildNaive, buildOurs, ENV, measure } from "./cold-start.ts";

/**
 * What each part of the bundle takes to be imported, and what the same package takes when it is imported as its own
 * documentation shows it. Each part is a bundle of its own, imported by a fresh process that has loaded the modules of
 * Node which Lambda's runtime client has; parts share code, so they do not add up. They take turns.
 */
export const imports: Bench = {
  summary: "what each part of the bundle takes to be imported",
  hasBackend: false,
  counts: { samples: { means: "imports of each part", otherwise: 21 } },
  run: async ({ counts: { samples = 0 } }) => {
    const folder = await mkdtemp(join(tmpdir(), "relay-imports-"));
    try {
      const bundles: Bundle[] = [];
      for (const [at, { part, ours, plain }] of PARTS.entries()) {
        bundles.push(await bundlePart(part, "ours", ours, join(folder, `ours-${at}`)));
        if (plain) bundles.push(await bundlePart(part, "plain", plain, join(folder, `plain-${at}`)));
      }
      const ours = await buildOurs(join(folder, "function"));
      bundles.push({ part: WHOLE, how: "ours", file: ours.entry, bytes: ours.initialBytes, times: [] });
      const naive = await buildNaive(join(folder, "naive"));
      bundles.push({ part: WHOLE, how: "plain", file: naive.entry, bytes: naive.initialBytes, times: [] });
      for (let turn = 0; turn <= samples; turn += 1) {
        for (const { file, times } of bundles) {
          const ms = await timeImport(file);
          if (turn > 0) times.push(ms); // the first turn reads the files into the page cache
        }
      }
      const seen = (part: string, how: Bundle["how"]) => {
        const bundle = bundles.find((candidate) => candidate.part === part && candidate.how === how);
        return bundle && { bytes: bundle.bytes, ms: round(quantile(bundle.times, 0.5)) };
      };
      const parts = [{ part: WHOLE, when: "start" }, ...PARTS].map(({ part, when }) => {
        const plain = seen(part, "plain");
        return { part, when, ...seen(part, "ours"), ...(plain && { plain }) };
      });
      // bytes are what an import reads, without what it loads later
      return { parts, samples, machine: machine() };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Part = {
  readonly part: string;
  /** When a function loads it. */
  readonly when: string;
  /** As the functions import it. */
  readonly ours: string;
  /** As its own documentation shows it, bundled by esbuild as it is. */
  readonly plain?: string;
};

const WHOLE = "the rotation function, whole";

const PARTS: readonly Part[] = [
  {
    part: "Node's https, crypto, files, streams",
    when: "start",
    ours: 'import "node:https"; import "node:crypto"; import "node:fs/promises"; import "node:stream";',
  },
  {
    part: "node:http, by import",
    when: "never: [below](#tried-and-left-out)",
    ours: 'export { STATUS_CODES } from "node:http";',
  },
  { part: "middy", when: "start", ours: 'export { default } from "@middy/core";' },
  {
    part: "Powertools Logger, Metrics",
    when: "start",
    ours: `export { Logger } from "@aws-lambda-powertools/logger";
      export { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
      export { Metrics } from "@aws-lambda-powertools/metrics";
      export { logMetrics } from "@aws-lambda-powertools/metrics/middleware";`,
  },
  {
    part: "Secrets Manager client",
    when: "start",
    ours: 'export { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";',
    plain: 'export { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";',
  },
  {
    part: "SignatureV4, for the token",
    when: "start",
    ours: 'export { SignatureV4 } from "@smithy/signature-v4";',
  },
  {
    part: "client-node",
    when: "start",
    ours: 'export { createSecretsApi } from "./shared/cluster/secrets-api.ts";',
    plain: 'export { CoreV1Api, KubeConfig } from "@kubernetes/client-node";',
  },
  {
    part: "EKS client",
    when: "a cluster is looked up",
    ours: 'export * from "./shared/cluster/describe-with-eks.ts";',
    plain: 'export { DescribeClusterCommand, EKSClient } from "@aws-sdk/client-eks";',
  },
  {
    part: "STS client",
    when: "a role is assumed",
    ours: 'export * from "./shared/cluster/assume-with-sts.ts";',
    plain: 'export { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";',
  },
  {
    part: "JMESPath",
    when: "a binding says jmespath",
    ours: 'export * from "./shared/expressions/jmespath.ts";',
  },
  {
    part: "LiquidJS",
    when: "a binding says template",
    ours: 'export * from "./shared/expressions/liquid.ts";',
    plain: 'export { Liquid } from "liquidjs";',
  },
  {
    part: "YAML and the schema",
    when: "BINDINGS_FILE is YAML",
    ours: 'export * from "./shared/bindings/load-bindings.ts";',
  },
];

type Bundle = {
  readonly part: string;
  readonly how: "ours" | "plain";
  readonly file: string;
  readonly bytes: number;
  readonly times: number[];
};

async function bundlePart(
  part: string,
  how: Bundle["how"],
  contents: string,
  outdir: string,
): Promise<Bundle> {
  const { entryPoints: _, alias, plugins, ...options } = bundleOptions("rotation", outdir);
  const { metafile } = await build({
    ...options,
    ...(how === "ours" && { alias, plugins }),
    stdin: { contents, resolveDir: options.absWorkingDir, loader: "ts" },
  } satisfies BuildOptions);
  const { initialBytes } = measure(metafile, "stdin.mjs");
  return { part, how, file: join(outdir, "stdin.mjs"), bytes: initialBytes, times: [] };
}

async function timeImport(file: string): Promise<number> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", PROGRAM, file], {
    env: ENV,
  });
  return Number(stdout);
}

const run = promisify(execFile);

/** What aws-lambda-ric 4 asks Node for before it loads a function. */
const PROGRAM = `
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
for (const name of ["path", "fs", "net", "http", "os", "util", "worker_threads"]) require("node:" + name);
const startedAt = performance.now();
await import(process.argv[1]);
process.stdout.write(String(performance.now() - startedAt));
`;
