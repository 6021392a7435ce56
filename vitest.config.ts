import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Node keeps compiled code here, for the workers and for every command that a test starts: a start of the command line
// takes 0.3 s of CPU time with it and 0.75 s without (September 2026, Node 24.21).
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL("node_modules/.cache/node-compile", import.meta.url),
);

// Their properties try more cases in the project `long`.
const properties = globSync("test/**/*.test.ts", { cwd: import.meta.dirname }).filter((file) =>
  readFileSync(new URL(file, import.meta.url), "utf8").includes("property-runs.ts"),
);

export default defineConfig({
  test: {
    // One more than there are cores, since tests wait for servers on loopback a quarter of their time. By default vitest
    // leaves one core free, and on two cores that is half of the time.
    maxWorkers: availableParallelism() + 1,
    reporters: ["default", "./test/harness/summary-reporter.ts"],
    projects: [
      {
        test: {
          name: "sandbox",
          setupFiles: ["./test/hygiene/watch-output.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/emulator/**", "test/long/**", "test/real/**"],
          // Far above any test on a busy machine: it only ends a test that hangs.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // The files of a worker share what they import: client-node and the AWS SDK take 1 to 2 s of CPU time to load.
          isolate: false,
        },
      },
      {
        test: {
          name: "long",
          setupFiles: ["./test/hygiene/watch-output.ts"],
          include: ["test/long/**/*.test.ts", ...properties],
          env: { PROPERTY_RUNS_FACTOR: process.env.PROPERTY_RUNS_FACTOR ?? "5" },
          testTimeout: 600_000,
          hookTimeout: 600_000,
          isolate: false,
        },
      },
      {
        test: {
          name: "real",
          setupFiles: ["./test/hygiene/watch-output.ts"],
          include: ["test/real/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          // Each file starts its own servers, and they share two cores.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "emulator",
          setupFiles: ["./test/hygiene/watch-output.ts"],
          include: ["test/emulator/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
