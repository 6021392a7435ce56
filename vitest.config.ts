import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    reporters: ["default", "./test/summary-reporter.ts"],
    projects: [
      {
        test: {
          name: "sandbox",
          setupFiles: ["./test/hygiene/watch-output.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/long/**", "test/real/**"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "long",
          setupFiles: ["./test/hygiene/watch-output.ts"],
          include: ["test/long/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "real",
          setupFiles: ["./test/hygiene/watch-output.ts"],
          include: ["test/real/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Each file starts its own servers, and they share two cores.
          fileParallelism: false,
        },
      },
    ],
  },
});
