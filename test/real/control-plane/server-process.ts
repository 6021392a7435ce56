import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export type ServerProcess = {
  /** Waits until the probe says true; throws with the end of the log when the process dies or time is up. */
  ready(probe: () => Promise<boolean>): Promise<void>;
  /** SIGKILL: it closes nothing and says nothing. Resolves once the process is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

/** Runs a server with its output in a file, and never outlives this process. */
export function startServerProcess(binary: string, args: string[], logFile: string): ServerProcess {
  const log = openSync(logFile, "a");
  const child = spawn(binary, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  const release = killWithUs(child);
  return {
    ready: (probe) => waitUntil(probe, child, logFile),
    kill: async () => {
      release();
      if (hasEnded(child)) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
    stop: async () => {
      release();
      await stopChild(child);
    },
  };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Whatever ends this process ends the server; only a SIGKILL of ours would leave it behind. */
function killWithUs(child: ChildProcess): () => void {
  const kill = () => child.kill("SIGKILL");
  const killAndDie = (signal: NodeJS.Signals) => {
    kill();
    release();
    process.kill(process.pid, signal);
  };
  const release = () => {
    process.off("exit", kill);
    for (const signal of SIGNALS) process.off(signal, killAndDie);
  };
  process.once("exit", kill);
  for (const signal of SIGNALS) process.once(signal, killAndDie);
  return release;
}

const READY_MS_MAX = 90_000;
const GRACE_MS = 3_000;

async function waitUntil(probe: () => Promise<boolean>, child: ChildProcess, logFile: string): Promise<void> {
  const giveUpAt = Date.now() + READY_MS_MAX;
  while (!(await probe().catch(() => false))) {
    if (hasEnded(child)) throw new Error(`${child.spawnfile} ended at once:\n${endOf(logFile)}`);
    if (Date.now() > giveUpAt) throw new Error(`${child.spawnfile} is not ready:\n${endOf(logFile)}`);
    await sleep(50);
  }
}

/** kube-apiserver drains for a while when asked kindly, and a test has nothing to drain. */
async function stopChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await ended;
  clearTimeout(timer);
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const endOf = (logFile: string): string => readFileSync(logFile, "utf8").split("\n").slice(-20).join("\n");
