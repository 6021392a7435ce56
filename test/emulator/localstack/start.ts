import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { StsCredentials } from "../../../sandbox/kubernetes/verify-eks-token.ts";
import { freePorts } from "../../real/control-plane/free-ports.ts";

/** An AWS with CloudFormation, which runs the functions of a stack as processes of this machine. */
export type Emulator = {
  readonly region: string;
  readonly accountId: string;
  /** For an SDK, the SAM CLI and the relay's command line. */
  readonly env: Readonly<Record<string, string>>;
  /** The path of the AWS CLI. */
  readonly cli: string;
  /** Of the functions that run: what STS knows of the identity behind an EKS token. */
  credentialsOf(accessKeyId: string): StsCredentials | undefined;
  /** What LocalStack and the functions printed. */
  output(): string;
  stop(): Promise<void>;
};

const REGION = "eu-west-1";
const ACCOUNT_ID = "000000000000";
const READY_MS_MAX = 120_000;

/** Installs LocalStack if it is not there yet, and starts it on a free port of the loopback. Takes about 10 s. */
export async function startLocalStack(): Promise<Emulator> {
  const { stdout } = await promisify(execFile)(inThisFolder("install.sh"));
  const programs = join(stdout.trim(), "bin");
  const folder = mkdtempSync(join(tmpdir(), "secret-relay-localstack-"));
  const credentialsFile = join(folder, "credentials.jsonl");
  const logFile = join(folder, "localstack.log");
  const log = openSync(logFile, "w");
  const [port = 0] = await freePorts(1);
  // serve.py and the functions end with its input, and that is closed even when this process is killed.
  const child = spawn(
    join(programs, "python"),
    [inThisFolder("serve.py"), process.execPath, inThisFolder("run-function.mjs"), credentialsFile],
    { stdio: ["pipe", log, log], env: environmentFor(port, folder) },
  );
  closeSync(log);
  const output = () => readFileSync(logFile, "utf8");
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await becomesReady(endpoint, child);
  } catch (error) {
    const said = output().slice(-2_000);
    await stop();
    throw new Error(`LocalStack did not start: ${(error as Error).message}\n${said}`);
  }
  return {
    region: REGION,
    accountId: ACCOUNT_ID,
    cli: join(programs, "aws"),
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    },
    credentialsOf: (accessKeyId) => {
      const lines = existsSync(credentialsFile)
        ? readFileSync(credentialsFile, "utf8").trim().split("\n")
        : [];
      const all: readonly FunctionCredentials[] = lines.map((line) => JSON.parse(line));
      return all.find((one) => one.accessKeyId === accessKeyId);
    },
    output,
    stop,
  };
}

type FunctionCredentials = StsCredentials & { readonly accessKeyId: string };

const inThisFolder = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const environmentFor = (port: number, folder: string): Record<string, string> => ({
  PATH: process.env.PATH ?? "",
  HOME: folder,
  TMPDIR: folder,
  FILESYSTEM_ROOT: join(folder, "root"),
  GATEWAY_LISTEN: `127.0.0.1:${port}`,
  LOCALSTACK_HOST: `127.0.0.1:${port}`,
  // It would listen on port 53, and send what it does to its maker.
  DNS_ADDRESS: "0",
  DISABLE_EVENTS: "1",
  SQS_ENDPOINT_STRATEGY: "path",
  SKIP_SSL_CERT_DOWNLOAD: "1",
  // Seconds until a failed event is tried again; a minute by default.
  LAMBDA_RETRY_BASE_DELAY: "1",
});

async function becomesReady(endpoint: string, child: ChildProcess): Promise<void> {
  const untilAt = Date.now() + READY_MS_MAX;
  while (Date.now() < untilAt) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    const answer = await fetch(`${endpoint}/_localstack/health`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(200);
  }
  throw new Error(`it did not answer within ${READY_MS_MAX} ms`);
}

/** By its input, so that it ends its functions. It holds nothing worth a graceful end. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.stdin?.end();
  await exited;
}
