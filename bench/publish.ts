import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Bench, machine, round } from "./bench.ts";
import { forkServer } from "./fork-server.ts";
import type { ServedBindings } from "./serve-published-bindings.ts";

/**
 * `secret-relay validate` and `secret-relay publish` of a YAML file with many bindings, seven lines each, in processes of
 * their own with a bounded heap. The bucket is one of a sandbox in another process, over TLS, and has an empty first
 * generation. No time is counted but that of the commands.
 *
 * Each publication goes on whatever its check of permissions finds, since the cluster of the sandbox grants none.
 */
export const publish: Bench = {
  summary: "the time and memory that publishing many bindings from YAML takes",
  hasBackend: false,
  counts: {
    bindings: { meaning: "bindings in the file", fallback: 10_000 },
    heap: { meaning: "megabytes of V8's heap (--max-old-space-size)", fallback: 512 },
  },
  run: async ({ counts: { bindings = 0, heap = 0 } }) => {
    const folder = await mkdtemp(join(tmpdir(), "relay-publish-"));
    const served = await forkServer<ServedBindings>("serve-published-bindings.ts", [0]);
    try {
      const file = join(folder, "bindings.yaml");
      await writeFile(file, bindingsYaml(bindings, served.cluster));
      const authority = join(folder, "authority.pem");
      await writeFile(authority, served.authority);
      const env = { ...process.env, ...served.env, NODE_EXTRA_CA_CERTS: authority };
      const run = (...words: string[]) => runCommand(folder, { heap, env }, words);
      const [stack = ""] = served.buckets;

      const validated = await run("validate", file);
      const published = await run(
        ...["publish", "-b", file, "--stack-name", stack, "--yes", "--ignore-permissions", "--json"],
      );

      const { generation, changes = [] } = JSON.parse(published.stdout) as Printed;
      if (generation !== 2 || changes.length !== bindings) {
        throw new Error(`Generation ${generation} is in force, with ${changes.length} new bindings`);
      }
      return {
        bindings,
        fileMB: round((await stat(file)).size / 1e6),
        heapMB: heap,
        validate: validated.cost,
        publish: published.cost,
        machine: machine(),
      };
    } finally {
      served.stop();
      await rm(folder, { recursive: true });
    }
  },
};

type Printed = { readonly generation?: number; readonly changes?: readonly object[] };

function bindingsYaml(count: number, cluster: object): string {
  const entry = (index: number) => `  - source: prod/team-${index % 7}/service-database-${index}
    keys: [username, password]
    targets:
      - namespace: app-${Math.floor(index / 200)}
        name: service-database-${index}
        restart: auto
`;
  const head = `version: 1\nclusters:\n  main: ${JSON.stringify(cluster)}\nbindings:\n`;
  return head + Array.from({ length: count }, (_, index) => entry(index)).join("");
}

type Cost = { readonly seconds: number; readonly cpuSeconds: number; readonly maxRssMB: number };

/** Throws if the command fails, or runs out of memory. */
async function runCommand(
  folder: string,
  { heap, env }: { heap: number; env: NodeJS.ProcessEnv },
  words: readonly string[],
): Promise<{ readonly stdout: string; readonly cost: Cost }> {
  const usageFile = join(folder, "usage.json");
  const flags = [`--max-old-space-size=${heap}`, "--import", writingUsageTo(usageFile)];
  const startedAt = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, COMMAND, ...words], {
    env,
    cwd: folder,
    maxBuffer: 256 * 1024 * 1024,
  });
  const seconds = round((performance.now() - startedAt) / 1_000);
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(
    await readFile(usageFile, "utf8"),
  ) as NodeJS.ResourceUsage;
  const cpuSeconds = round((userCPUTime + systemCPUTime) / 1e6);
  return { stdout, cost: { seconds, cpuSeconds, maxRssMB: round(maxRSS / 1024) } };
}

const COMMAND = fileURLToPath(new URL("../bin/secret-relay.mjs", import.meta.url));

const writingUsageTo = (file: string): string =>
  `data:text/javascript,import { writeFileSync } from "node:fs";
  process.once("exit", () => writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.resourceUsage())));`;
