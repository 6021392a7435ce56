import { existsSync } from "node:fs";
import path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import type { ClusterEndpoint } from "../../shared/cluster/https-transport.ts";
import { singleFlightCache } from "../../shared/cluster/single-flight-cache.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import type { KubeContext } from "./choose-context.ts";
import { ContextUnusable, KubeconfigUnreadable, LoginPluginFailed } from "./errors.ts";

/** The files that kubectl would read, merged as kubectl merges them. */
export type Kubeconfig = {
  readonly contexts: readonly KubeContext[];
  readonly currentContext: string | undefined;
  /** Throws UsageError for an unknown name. */
  get(contextName: string): KubeContext;
  /** The endpoint and credentials of a context, read for each call: a plugin's credentials are cached until they expire. */
  login(context: KubeContext): Promise<Login>;
  /** The cluster refused this bearer: the next call logs in again. */
  forget(context: KubeContext, refusedBearer: string): void;
};

/** `bearer` is empty if the endpoint has a client certificate. */
export type Login = { readonly endpoint: ClusterEndpoint; readonly bearer: string };

/** Reads the files of KUBECONFIG, or ~/.kube/config. As in kubectl, only a missing file of --kubeconfig is an error. */
export async function loadKubeconfig(
  { env, cwd, now }: Pick<Cli, "env" | "cwd" | "now">,
  named: string | undefined,
): Promise<Kubeconfig> {
  const files = filesOf(env, cwd, named);
  if (named !== undefined && files.length === 0) {
    throw new UsageError(`kubeconfig ${named} does not exist. Check the path.`);
  }
  // Imported lazily: with its plugins it takes a fifth of a second.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  let config = readFiles(KubeConfig, files);
  // Concurrent calls share one login; after that the caches of client-node know when a plugin's credentials expire.
  type CachedLogin = { readonly login: Login; readonly at: number };
  const logins = singleFlightCache<CachedLogin>(({ at }) => now() - at < LOGIN_CACHED_MS);
  // A failed login will fail again, so a hundred Secrets do not start its program a hundred times.
  const failed = new Map<string, { readonly error: unknown; readonly at: number }>();
  const logIn = async (context: KubeContext): Promise<CachedLogin> => {
    const failure = failed.get(context.name);
    if (failure !== undefined && now() - failure.at < LOGIN_CACHED_MS) throw failure.error;
    try {
      return { login: await loginOf(config, context), at: now() };
    } catch (error) {
      failed.set(context.name, { error, at: now() });
      throw error;
    }
  };
  const contexts = config.contexts.map(({ name, cluster }): KubeContext => {
    return { name, clusterName: cluster, server: config.getCluster(cluster)?.server ?? "" };
  });
  return {
    contexts,
    currentContext: config.currentContext || undefined,
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
    login: async (context) => (await logins.get(context.name, () => logIn(context))).login,
    forget: (context, refusedBearer) => {
      const isRefused = ({ login }: CachedLogin) => login.bearer === refusedBearer;
      if (logins.forget(context.name, isRefused)) config = readFiles(KubeConfig, files); // drops its caches
    },
  };
}

const LOGIN_CACHED_MS = 30_000;

function filesOf(env: NodeJS.ProcessEnv, cwd: string, named: string | undefined): string[] {
  const home = env.HOME ?? env.USERPROFILE;
  const standard = home === undefined ? [] : [path.join(home, ".kube", "config")];
  const fromEnv = (env.KUBECONFIG ?? "").split(path.delimiter).filter((file) => file !== "");
  const files = named !== undefined ? [named] : fromEnv.length > 0 ? fromEnv : standard;
  return files.map((file) => path.resolve(cwd, file)).filter((file) => existsSync(file));
}

function readFiles(Config: typeof KubeConfig, files: readonly string[]): KubeConfig {
  const merged = new Config();
  merged.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: "" });
  for (const file of files) {
    try {
      const one = new Config();
      one.loadFromFile(file, { onInvalidEntry: "filter" });
      merge(merged, one);
    } catch {
      throw new KubeconfigUnreadable(file);
    }
  }
  return merged;
}

/** As in kubectl, the first file that defines a name wins; client-node's own merge refuses duplicate names. */
function merge(merged: KubeConfig, one: KubeConfig): void {
  for (const cluster of one.clusters) if (!merged.getCluster(cluster.name)) merged.addCluster(cluster);
  for (const user of one.users) if (!merged.getUser(user.name)) merged.addUser(user);
  for (const context of one.contexts) {
    if (!merged.getContextObject(context.name)) merged.addContext(context);
  }
  merged.currentContext ||= one.currentContext ?? "";
}

async function loginOf(config: KubeConfig, { name }: KubeContext): Promise<Login> {
  config.setCurrentContext(name);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster?.server) throw new ContextUnusable(name, "names a cluster that is not in the kubeconfig");
  if (!cluster.server.startsWith("https://")) throw new ContextUnusable(name, "uses a server without TLS");
  if (cluster.skipTLSVerify)
    throw new ContextUnusable(name, "skips the verification of the server's certificate");
  if (cluster.proxyUrl) throw new ContextUnusable(name, "uses a proxy (proxy-url)");
  if (user?.impersonateUser !== undefined) throw new ContextUnusable(name, "impersonates another user (as)");
  if (user?.username !== undefined) throw new ContextUnusable(name, "logs in with a password");

  const options: HttpsOptions = { headers: {} };
  const program = String(user?.exec?.command ?? user?.authProvider?.name ?? "its files");
  try {
    // This also adds an HTTPS agent, which is not used and so opens no connection.
    await config.applyToHTTPSOptions(options as Parameters<KubeConfig["applyToHTTPSOptions"]>[0]);
  } catch {
    throw new LoginPluginFailed(name, program);
  }
  const { ca, cert, key, servername, headers } = options;
  const bearer = /^Bearer (.+)$/.exec(headers.Authorization ?? "")?.[1] ?? "";
  if (bearer === "" && (cert === undefined || key === undefined)) throw new LoginPluginFailed(name, program);
  const clientCertificate = cert !== undefined &&
    key !== undefined && { clientCertificate: { certificatePem: String(cert), keyPem: String(key) } };
  return {
    bearer,
    endpoint: {
      url: cluster.server.replace(/\/+$/, ""),
      certificateAuthorityData: ca === undefined ? "" : Buffer.from(ca).toString("base64"),
      tls: {
        ...clientCertificate,
        ...(servername !== undefined && { serverName: servername }),
        ...(ca === undefined && { trustsPublicAuthorities: true }),
      },
    },
  };
}

type HttpsOptions = {
  ca?: Buffer;
  cert?: Buffer | string;
  key?: Buffer | string;
  servername?: string;
  headers: { Authorization?: string };
};
