import { readFile } from "node:fs/promises";
import path from "node:path";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import { singleFlightCache } from "../../shared/cluster/single-flight-cache.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import type { KubeContext } from "../live/choose-context.ts";
import { KubeconfigMissing, KubeconfigUnreadable } from "./errors.ts";
import { type Login, logIn, type TimedLogin } from "./log-in.ts";
import { type KubeconfigEntries, mergeFiles, parseKubeconfig } from "./parse-kubeconfig.ts";

/** The files that kubectl would read, merged as kubectl merges them. */
export type Kubeconfig = {
  readonly contexts: readonly KubeContext[];
  readonly currentContext: string | undefined;
  /** Throws UsageError for an unknown name. */
  get(contextName: string): KubeContext;
  /** The endpoint and credentials of a context, cached until they expire. */
  login(context: KubeContext): Promise<Login>;
  /** The cluster refused this bearer: the next call logs in again. */
  forget(context: KubeContext, refusedBearer: string): void;
};

type CliOfLogin = Pick<Cli, "env" | "cwd" | "now" | "terminal">;

/** Reads --kubeconfig, or else the files of KUBECONFIG, or else ~/.kube/config. */
export async function loadKubeconfig(cli: CliOfLogin, named: string | undefined): Promise<Kubeconfig> {
  const { now } = cli;
  const entries = await readEntries(cli, named);
  const logins = singleFlightCache<TimedLogin>(({ expiresAt }) => now() < expiresAt);
  // A failed login will fail again, so a hundred Secrets do not start its program a hundred times.
  const failed = new Map<string, { readonly error: unknown; readonly at: number }>();
  const logInOnce = async (context: string): Promise<TimedLogin> => {
    const failure = failed.get(context);
    if (failure !== undefined && now() - failure.at < FAILURE_CACHED_MS) throw failure.error;
    try {
      return await logIn(cli, entries, context);
    } catch (error) {
      failed.set(context, { error, at: now() });
      throw error;
    }
  };
  const contexts = [...entries.contexts].map(([name, { cluster }]): KubeContext => {
    return { name, clusterName: cluster, server: entries.clusters.get(cluster)?.server ?? "" };
  });
  return {
    contexts,
    currentContext: entries.currentContext || undefined,
    get: (contextName) => {
      const found = contexts.find(({ name }) => name === contextName);
      if (found !== undefined) return found;
      const names = contexts.map(({ name }) => name);
      const suggestion = suggestName(contextName, names);
      const known = names.length > 0 ? `It has: ${names.join(", ")}.` : "It has none.";
      throw new UsageError(
        `The kubeconfig has no context ${contextName}. ${suggestion ? `Did you mean ${suggestion}?` : known} Create one: aws eks update-kubeconfig --name CLUSTER --region REGION`,
      );
    },
    login: async ({ name }) => (await logins.get(name, () => logInOnce(name))).login,
    forget: ({ name }, refusedBearer) => {
      logins.forget(name, ({ login }) => login.bearer === refusedBearer);
    },
  };
}

const FAILURE_CACHED_MS = 30_000;

/**
 * A missing file of a list is skipped, as in kubectl. If every file of KUBECONFIG is missing, kubectl warns and goes on
 * without a login; this is an error here, because the command would go on with another one.
 */
async function readEntries({ env, cwd }: CliOfLogin, named: string | undefined): Promise<KubeconfigEntries> {
  const resolved = (file: string) => path.resolve(cwd, file);
  if (named !== undefined) {
    const entries = await readFileIfPresent(resolved(named));
    if (entries === undefined) throw new UsageError(`kubeconfig ${named} does not exist. Check the path.`);
    return entries;
  }
  if (env.KUBECONFIG) {
    const files = [...new Set(env.KUBECONFIG.split(path.delimiter).filter((file) => file !== ""))].map(
      resolved,
    );
    const found = (await Promise.all(files.map(readFileIfPresent))).filter((each) => each !== undefined);
    if (found.length === 0) throw new KubeconfigMissing(files);
    return mergeFiles(found);
  }
  const home = env.HOME ?? env.USERPROFILE;
  const standard = home && (await readFileIfPresent(path.join(home, ".kube", "config")));
  return standard || mergeFiles([]);
}

async function readFileIfPresent(file: string): Promise<KubeconfigEntries | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new KubeconfigUnreadable(file, "cannot be read");
  }
  return parseKubeconfig(text, file);
}
