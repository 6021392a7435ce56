import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { kubeconfigFor } from "../../sandbox/kubernetes/kubeconfig.ts";
import { type KubernetesSandbox, startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { findKubectl } from "../harness/find-kubectl.ts";
import { type Emulator, startLocalStack } from "./localstack/start.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What an operator has: an AWS, a cluster, a folder with the project, and programs that run in it. */
export type Deployment = {
  readonly aws: Emulator;
  readonly cluster: KubernetesSandbox;
  readonly folder: string;
  /** Programs fail with what they printed. */
  run(program: Program, words: readonly string[], stdin?: string): Promise<string>;
  /** The command, and what it printed with its exit code. */
  relay(...words: readonly string[]): Promise<Ended>;
  read(file: string): string;
  write(file: string, text: string): void;
  /** The values of a Secret, as the cluster's administrator reads them. */
  readSecret(namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined>;
  close(): Promise<void>;
};

export type Program = "sam" | "kubectl" | "aws";
export type Ended = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

export async function openDeployment(): Promise<Deployment> {
  const kubectl = findKubectl();
  if (kubectl === undefined)
    throw new Error("kubectl is missing or too old: run test/real/control-plane/build.sh kubectl");
  const sam = await run(inTests("../real/sam/install.sh"), [], { cwd: root, env: process.env });
  const aws = await startLocalStack();
  const cluster = await startKubernetesSandbox({
    clusterName: "prod-eks",
    region: aws.region,
    credentialsOf: aws.credentialsOf,
  });
  const folder = mkdtempSync(join(tmpdir(), "secret-relay-deployment-"));
  for (const file of FILES) cpSync(join(root, file), join(folder, file));
  mkdirSync(join(folder, "home"));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  write("kubeconfig", JSON.stringify(kubeconfigFor(cluster, aws.accountId, { token: cluster.adminToken })));

  const programs: Record<Program, string> = {
    sam: join(sam.stdout.trim(), "bin/sam"),
    kubectl,
    aws: aws.cli,
  };
  const options = {
    cwd: folder,
    env: {
      ...aws.env,
      PATH: process.env.PATH,
      HOME: join(folder, "home"),
      KUBECONFIG: join(folder, "kubeconfig"),
      SAM_CLI_TELEMETRY: "0",
    },
  };
  const runOrFail: Deployment["run"] = async (program, words, stdin = "") => {
    const ended = await run(programs[program], words, options, stdin);
    if (ended.exitCode === 0) return ended.stdout;
    throw new Error(
      `${program} ${words.join(" ")} ended with ${ended.exitCode}:\n${ended.stdout}${ended.stderr}`,
    );
  };
  return {
    aws,
    cluster,
    folder,
    run: runOrFail,
    relay: (...words) => run(process.execPath, [join(root, "cli/main.ts"), ...words], options),
    read: (file) => readFileSync(join(folder, file), "utf8"),
    write,
    readSecret: async (namespace, name) => {
      const words = ["get", "secret", name, "-n", namespace, "--ignore-not-found", "-o", "json"];
      const text = await runOrFail("kubectl", words);
      if (text === "") return undefined;
      const { data } = JSON.parse(text) as { data: Record<string, string> };
      return Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]),
      );
    },
    close: async () => {
      await cluster.stop();
      await aws.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Asks until the answer fits, and returns the last one. Events take their time. */
export async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  const endsAt = Date.now() + WAIT_MS_MAX;
  let answer = await ask();
  while (!fits(answer) && Date.now() < endsAt) {
    await sleep(200);
    answer = await ask();
  }
  return answer;
}

const WAIT_MS_MAX = 60_000;

const FILES = ["template.yaml", "webhook-url.yaml", "monitoring.yaml"];

const inTests = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

type ProcessOptions = { readonly cwd: string; readonly env: NodeJS.ProcessEnv };

function run(file: string, words: readonly string[], options: ProcessOptions, stdin = ""): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, words, { ...options, stdio: "pipe" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      stdout += piece;
    });
    child.stderr.setEncoding("utf8").on("data", (piece: string) => {
      stderr += piece;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ exitCode: code ?? 1, stdout, stderr }));
    child.stdin.end(stdin);
  });
}
