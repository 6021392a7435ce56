import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AwsBackend } from "../../harness/backend.ts";
import { freePorts } from "../control-plane/free-ports.ts";

/** The account that moto returns for all credentials. */
const ACCOUNT_ID = "123456789012";
const REGION = "eu-west-1";
const READY_MS_MAX = 60_000;

/** Starts moto's server on a free port of the loopback, with nothing in it; install.sh must have run. */
export async function startMoto(): Promise<AwsBackend> {
  const python = join(venvDirectory(), "bin", "python");
  if (!existsSync(python)) throw new Error("moto is not installed: run test/real/aws/install.sh first");
  const directory = mkdtempSync(join(tmpdir(), "eks-secret-relay-moto-"));
  const logFile = join(directory, "moto.log");
  const log = openSync(logFile, "w");
  const [port = 0] = await freePorts(1);
  // serve.py ends with its input, and that is closed even when this process is killed.
  const server = fileURLToPath(new URL("serve.py", import.meta.url));
  const child = spawn(python, [server, "-H", "127.0.0.1", "-p", String(port)], { stdio: ["pipe", log, log] });
  closeSync(log);
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);

  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    await ended(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await becomesReady(endpoint, child);
  } catch (error) {
    const said = readFileSync(logFile, "utf8").slice(-2_000);
    await stop();
    throw new Error(`moto did not start: ${(error as Error).message}\n${said}`);
  }
  return {
    region: REGION,
    accountId: ACCOUNT_ID,
    env: {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: "AKIAMOTOMOTOMOTOMOTO",
      AWS_SECRET_ACCESS_KEY: "moto-checks-no-signature",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      AWS_ENDPOINT_URL_STS: endpoint,
      AWS_ENDPOINT_URL_EKS: endpoint,
      AWS_ENDPOINT_URL_SQS: endpoint,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL_CLOUDFORMATION: endpoint,
    },
    stop,
  };
}

/** The directory that install.sh made: named after the pinned packages, so a new pin is a new one. */
function venvDirectory(): string {
  const requirements = readFileSync(new URL("requirements.txt", import.meta.url));
  const hash = createHash("sha256").update(requirements).digest("hex").slice(0, 16);
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(cache, "eks-secret-relay", `venv-${hash}`);
}

async function becomesReady(endpoint: string, child: ChildProcess): Promise<void> {
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  const untilAt = Date.now() + READY_MS_MAX;
  while (Date.now() < untilAt) {
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    const answer = await fetch(`${endpoint}/moto-api/data.json`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error(`it did not answer within ${READY_MS_MAX} ms`);
}

/** It holds nothing worth a graceful end. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
}
