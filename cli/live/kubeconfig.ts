import { existsSync } from "node:fs";
import path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { suggestName } from "../../shared/bindings/suggest-name.ts";
import type { ClusterEndpoint } from "../../shared/cluster/https-transport.ts";
import { keepAnswers } from "../../shared/cluster/keep-answers.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../errors.ts";
import type { KubeContext } from "./choose-context.ts";
import { ContextUnusable, KubeconfigUnreadable, LoginPluginFailed } from "./errors.ts";

/** What kubectl would use, merged from its files as kubectl merges them. */
export type Kubeconfig = {
  readonly contexts: readonly KubeContext[];
  readonly currentContext: string | undefined;
  /** Throws UsageError for a name that is not there. */
  get(contextName: string): KubeContext;
  /** Where a context leads and who one is there. Asked for each call: a plugin's answer is kept for as long as it says. */
  login(context: KubeContext): Promise<Login>;
  /** The cluster refused that bearer: the next login is made anew. */
  forget(context: KubeContext, refusedBearer: string): void;
};

/** `bearer` is empty where the endpoint's client certificate does instead. */
export type Login = { readonly endpoint: ClusterEndpoint; readonly bearer: string };

/** Its files are KUBECONFIG's, or ~/.kube/config; a missing one is no mistake, as for kubectl, unless it was named. */
export async function loadKubeconfig(
  { env, cwd, now }: Pick<Cli, "env" | "cwd" | "now">,
  named: string | undefined,
): Promise<Kubeconfig> {
  const files = filesOf(env, cwd, named);
  if (named !== undefined && files.length === 0) {
    throw new UsageError(`There is no kubeconfig ${named}. Check the path.`);
  }
  // Loaded here: with its plugins it costs a fifth of a second, which `--help` should not pay.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  let config = readFiles(KubeConfig, files);
  // Many calls at once share one login; after that client-node's own caches know how long a plugin's answer is good.
  type Kept = { readonly login: Login; readonly at: number };
  const logins = keepAnswers<Kept>(({ at }) => now() - at < LOGIN_KEPT_MS);
  // A login that failed will fail again: a hundred Secrets need not start its program a hundred times.
  const failed = new Map<string, { readonly error: unknown; readonly at: number }>();
  const logIn = async (context: KubeContext): Promise<Kept> => {
    const before = failed.get(context.name);
    if (before !== undefined && now() - before.at < LOGIN_KEPT_MS) throw before.error;
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
    get: (wanted) => {
      const found = contexts.find(({ name }) => name === wanted);
      if (found !== undefined) return found;
      const names = contexts.map(({ name }) => name);
      const meant = suggestName(wanted, names);
      const otherwise = names.length > 0 ? `There are: ${names.join(", ")}.` : "It has none.";
      throw new UsageError(
        `The kubeconfig has no context ${wanted}. ${meant ? `Did you mean ${meant}?` : otherwise} Make one: aws eks update-kubeconfig --name CLUSTER --region REGION`,
      );
    },
    login: async (context) => (await logins.get(context.name, () => logIn(context))).login,
    forget: (context, refusedBearer) => {
      const isWrong = ({ login }: Kept) => login.bearer === refusedBearer;
      if (logins.forget(context.name, isWrong)) config = readFiles(KubeConfig, files); // its caches go with it
    },
  };
}

const LOGIN_KEPT_MS = 30_000;

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

/** The first file that says something wins, as for kubectl; client-node's own merge refuses a name that comes twice. */
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
  if (!cluster?.server) throw new ContextUnusable(name, "names a cluster that the kubeconfig does not have");
  if (!cluster.server.startsWith("https://"))
    throw new ContextUnusable(name, "leads to a server without TLS");
  if (cluster.skipTLSVerify) throw new ContextUnusable(name, "skips the check of the server's certificate");
  if (cluster.proxyUrl) throw new ContextUnusable(name, "goes through a proxy (proxy-url)");
  if (user?.impersonateUser !== undefined) throw new ContextUnusable(name, "acts as another user (as)");
  if (user?.username !== undefined) throw new ContextUnusable(name, "logs in with a password");

  const given: Given = { headers: {} };
  const program = String(user?.exec?.command ?? user?.authProvider?.name ?? "its files");
  try {
    // An HTTPS agent of client-node's is in there too; it opens no connection until it is used, and it is not.
    await config.applyToHTTPSOptions(given as Parameters<KubeConfig["applyToHTTPSOptions"]>[0]);
  } catch {
    throw new LoginPluginFailed(name, program);
  }
  const { ca, cert, key, servername, headers } = given;
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

type Given = {
  ca?: Buffer;
  cert?: Buffer | string;
  key?: Buffer | string;
  servername?: string;
  headers: { Authorization?: string };
};
