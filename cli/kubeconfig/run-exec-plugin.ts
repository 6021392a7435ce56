import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { text } from "node:stream/consumers";
import type { Cli } from "../cli.ts";
import { ContextUnusable, LoginPluginFailed } from "./errors.ts";
import type { ExecPlugin } from "./parse-kubeconfig.ts";

export type ExecCredential = {
  readonly token: string;
  readonly clientCertificate?: { readonly certificatePem: string; readonly keyPem: string };
  /** Infinity if the program does not say. */
  readonly expiresAt: number;
};

/** Runs the login program of a context as kubectl does. `clusterInfo` is sent if the plugin wants it. */
export async function runExecPlugin(
  { env, cwd, terminal }: Pick<Cli, "env" | "cwd" | "terminal">,
  context: string,
  plugin: ExecPlugin,
  clusterInfo: object,
): Promise<ExecCredential> {
  const { apiVersion, command, args, installHint, interactiveMode } = plugin;
  const problem = problemOf(plugin);
  if (problem !== undefined) throw new ContextUnusable(context, problem);
  const isInteractive = interactiveMode !== "Never" && terminal.canAsk;
  if (interactiveMode === "Always" && !isInteractive) {
    throw new ContextUnusable(
      context,
      `has a login program (${command}) that needs a terminal for its questions`,
    );
  }
  const fail = (why: string, hint?: string) => new LoginPluginFailed(context, command, why, hint);
  const program = findProgram(command, env.PATH ?? "");
  if (program === undefined) throw fail("was not found, or is not executable", installHint);

  const spec = { interactive: isInteractive, ...(plugin.providesClusterInfo && { cluster: clusterInfo }) };
  const info = JSON.stringify({ kind: "ExecCredential", apiVersion, spec });
  const child = spawn(program, args, {
    cwd,
    env: { ...env, ...plugin.env, KUBERNETES_EXEC_INFO: info },
    // As in kubectl, its questions and errors go to the terminal.
    stdio: [isInteractive ? "inherit" : "ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", () => reject(fail("could not be started", installHint)));
    child.once("close", resolve);
  });
  const [exitCode, output] = await Promise.all([ended, text(child.stdout).catch(() => "")]);
  if (exitCode !== 0) throw fail(exitCode === null ? "was killed" : `ended with exit code ${exitCode}`);
  return parseCredential(output, apiVersion, fail);
}

/** As kubectl validates the entry. */
function problemOf({ apiVersion, command, env, interactiveMode }: ExecPlugin): string | undefined {
  const isV1 = apiVersion === `${GROUP}/v1`;
  if (command === "") return "has an exec login without a command";
  if (apiVersion === "") return "has an exec login without an apiVersion";
  if (!isV1 && apiVersion !== `${GROUP}/v1beta1`) {
    return `has an exec login of apiVersion ${apiVersion}, which kubectl no longer supports (renew it: aws eks update-kubeconfig)`;
  }
  if (Object.hasOwn(env, "")) return "has an exec login with an env entry without a name";
  if (interactiveMode === "") return isV1 ? "has an exec login without an interactiveMode" : undefined;
  return INTERACTIVE_MODES.includes(interactiveMode)
    ? undefined
    : `has an exec login with the unknown interactiveMode ${interactiveMode}`;
}

const GROUP = "client.authentication.k8s.io";

const INTERACTIVE_MODES: readonly string[] = ["Never", "IfAvailable", "Always"];

/**
 * Searches the caller's PATH, not one in the plugin's env. Like Go, it finds nothing in the current folder: a `.` in PATH
 * would run any program of that folder.
 */
function findProgram(command: string, pathOfCaller: string): string | undefined {
  const candidates = command.includes("/")
    ? [command]
    : pathOfCaller
        .split(delimiter)
        .filter((folder) => isAbsolute(folder))
        .map((folder) => join(folder, command));
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function parseCredential(output: string, apiVersion: string, fail: (why: string) => Error): ExecCredential {
  let credential: unknown;
  try {
    credential = JSON.parse(output);
  } catch {
    throw fail("did not print an ExecCredential as JSON");
  }
  const found = (credential ?? {}) as { kind?: unknown; apiVersion?: unknown; status?: unknown };
  if (found.kind !== "ExecCredential") throw fail("did not print an ExecCredential");
  if (found.apiVersion !== apiVersion) {
    throw fail(`printed another apiVersion than ${apiVersion}, which the kubeconfig expects`);
  }
  const status = (found.status ?? {}) as Record<string, unknown>;
  const [token, certificatePem, keyPem] = ["token", "clientCertificateData", "clientKeyData"].map((key) => {
    const value = status[key] ?? "";
    return typeof value === "string" ? value : "";
  }) as [string, string, string];
  if ((certificatePem === "") !== (keyPem === ""))
    throw fail("printed only a certificate or a key, not both");
  if (token === "" && certificatePem === "") throw fail("printed no token and no certificate");
  const expiresAt = Date.parse(String(status.expirationTimestamp ?? ""));
  return {
    token,
    ...(certificatePem !== "" && { clientCertificate: { certificatePem, keyPem } }),
    expiresAt: Number.isNaN(expiresAt) ? Number.POSITIVE_INFINITY : expiresAt,
  };
}
