import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { kubeconfigFor } from "../../sandbox/kubernetes/kubeconfig.ts";
import type { Wait } from "../../shared/runtime/retry.ts";
import type { Backend } from "./backend.ts";
import { findTraces } from "./canary.ts";
import { pinnedCluster } from "./relay.ts";
import { type CliRun, runCli } from "./run-cli.ts";

/** The working folder of an operator: bindings.yaml, and a kubeconfig of a cluster's administrator. */
export type Desk = {
  readonly folder: string;
  /** Runs the command there. Its output is searched for values first. */
  run(...words: readonly string[]): Promise<CliRun>;
  runJson(...words: readonly string[]): Promise<{ exitCode: number; json: unknown; stderr: string }>;
  read(file: string): string;
  write(file: string, content: object | string): void;
  writeBindings(bindings: readonly object[], clusters?: object): void;
  close(): void;
};

/** AWS settings come from process.env: the test file must have put backend.aws.env there. */
export function openDesk(
  backend: Backend,
  {
    now = backend.clock.now,
    wait = backend.clock.advance,
    worksOn = "file",
  }: {
    now?: () => number;
    wait?: Wait;
    /** What commands work on that are not told. */
    worksOn?: "file" | "published";
  } = {},
): Desk {
  const folder = mkdtempSync(join(tmpdir(), "secret-relay-desk-"));
  const write = (file: string, content: object | string) =>
    writeFileSync(join(folder, file), typeof content === "string" ? content : JSON.stringify(content));
  write("kubeconfig", adminKubeconfig(backend));
  const run = async (...words: readonly string[]) => {
    const env = {
      HOME: folder,
      PATH: process.env.PATH,
      KUBECONFIG: join(folder, "kubeconfig"),
      ...(worksOn === "file" && { BINDINGS_FILE: "bindings.yaml" }),
    };
    const told = await runCli(words, { cwd: folder, env, now, wait });
    expect(findTraces(told.stdout + told.stderr, [backend.kubernetes.adminToken])).toEqual([]);
    return told;
  };
  return {
    folder,
    run,
    runJson: async (...words) => {
      const { exitCode, stdout, stderr } = await run(...words, "--json");
      return { exitCode, json: JSON.parse(stdout) as unknown, stderr };
    },
    read: (file) => readFileSync(join(folder, file), "utf8"),
    write,
    writeBindings: (bindings, clusters = { main: pinnedCluster(backend) }) =>
      write("bindings.yaml", { version: 1, clusters, defaults: { cluster: "main" }, bindings }), // JSON is YAML
    close: () => rmSync(folder, { recursive: true }),
  };
}

/** With the names that `aws eks update-kubeconfig` gives, and a token in place of its plugin. */
export function adminKubeconfig(
  { kubernetes, aws }: Backend,
  user: object = { token: kubernetes.adminToken },
) {
  return kubeconfigFor(kubernetes, aws.accountId, user);
}
