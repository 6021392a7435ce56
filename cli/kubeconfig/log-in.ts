import { readFile } from "node:fs/promises";
import type { ClusterEndpoint } from "../../shared/cluster/https-transport.ts";
import type { Cli } from "../cli.ts";
import { ContextUnusable } from "./errors.ts";
import type { KubeCluster, KubeconfigEntries, KubeUser } from "./parse-kubeconfig.ts";
import { type ExecCredential, runExecPlugin } from "./run-exec-plugin.ts";

/** `bearer` is empty if the endpoint has a client certificate or a password. */
export type Login = { readonly endpoint: ClusterEndpoint; readonly bearer: string };

/** A login, and when it must be read again. */
export type TimedLogin = { readonly login: Login; readonly expiresAt: number };

/**
 * The endpoint and the credentials of a context, in the order of kubectl: a token, a certificate or a password replaces
 * a login program. A server without TLS, or with an unverified certificate, is refused, unlike in kubectl: it would
 * receive the login and the values of the Secrets.
 */
export async function logIn(
  cli: Pick<Cli, "env" | "cwd" | "now" | "terminal">,
  entries: KubeconfigEntries,
  context: string,
): Promise<TimedLogin> {
  const unusable = (why: string) => new ContextUnusable(context, why);
  const names = entries.contexts.get(context);
  const cluster = entries.clusters.get(names?.cluster ?? "");
  const user = entries.users.get(names?.user ?? "");
  if (!cluster?.server)
    throw unusable("names a cluster that is not in the kubeconfig, or that has no server");
  if (user === undefined) throw unusable(`names a user (${names?.user}) that is not in the kubeconfig`);
  if (!/^https:\/\//i.test(cluster.server)) throw unusable("uses a server without TLS");
  if (cluster.skipsTlsVerify) throw unusable("skips the verification of the server's certificate");
  const problem = problemOf(cluster, user);
  if (problem !== undefined) throw unusable(problem);

  const readPem = async (setting: string, data: string, file: string): Promise<string> => {
    if (data !== "") return Buffer.from(data, "base64").toString("utf8");
    if (file === "") return "";
    return readFile(file, "utf8").catch(() => {
      throw unusable(`has a ${setting} (${file}) that cannot be read`);
    });
  };
  const { certificateAuthority, certificateAuthorityData, proxyUrl, tlsServerName } = cluster;
  const authorityPem = await readPem("certificate-authority", certificateAuthorityData, certificateAuthority);
  const certificatePem = await readPem(
    "client-certificate",
    user.clientCertificateData,
    user.clientCertificate,
  );
  const keyPem = await readPem("client-key", user.clientKeyData, user.clientKey);
  const token = await readPem("tokenFile", "", user.tokenFile);
  const credential: ExecCredential = {
    token: token.trim() || user.token,
    ...(certificatePem !== "" && { clientCertificate: { certificatePem, keyPem } }),
    expiresAt: user.tokenFile === "" ? Number.POSITIVE_INFINITY : cli.now() + TOKEN_FILE_READ_EVERY_MS,
  };
  const hasPassword = user.username !== "" || user.password !== "";
  const isComplete = credential.token !== "" || certificatePem !== "" || hasPassword;
  const { clientCertificate, expiresAt, ...found } = isComplete
    ? credential
    : await logInByProgram(cli, context, user, clusterInfoOf(cluster, authorityPem));
  const headers = { ...passwordHeaders(user), ...impersonationHeaders(user) };
  return {
    expiresAt,
    login: {
      bearer: hasPassword ? "" : found.token,
      endpoint: {
        url: cluster.server.replace(/\/+$/, ""),
        certificateAuthorityData: Buffer.from(authorityPem).toString("base64"),
        ...(Object.keys(headers).length > 0 && { headers }),
        ...(proxyUrl !== "" && { proxyUrl }),
        tls: {
          ...(clientCertificate && { clientCertificate }),
          ...(tlsServerName !== "" && { serverName: tlsServerName }),
          ...(authorityPem === "" && { trustsPublicAuthorities: true }),
        },
      },
    },
  };
}

/** As kubectl: the file is renewed by another program, such as for a mounted service account. */
const TOKEN_FILE_READ_EVERY_MS = 60_000;

/** As kubectl validates the entries. */
function problemOf(cluster: KubeCluster, user: KubeUser): string | undefined {
  const { user: impersonated, uid, groups, extra } = user.impersonation;
  const isBoth = (one: string, other: string) => one !== "" && other !== "";
  if (isBoth(cluster.certificateAuthorityData, cluster.certificateAuthority)) {
    return "has both certificate-authority-data and certificate-authority";
  }
  if (isBoth(user.clientCertificateData, user.clientCertificate)) {
    return "has both client-certificate-data and client-certificate";
  }
  if (isBoth(user.clientKeyData, user.clientKey)) return "has both client-key-data and client-key";
  const hasCertificate = user.clientCertificateData + user.clientCertificate !== "";
  const hasKey = user.clientKeyData + user.clientKey !== "";
  if (hasCertificate && !hasKey) return "has a client certificate without a key";
  if (isBoth(user.token, user.username + user.password)) return "has both a token and a password";
  if (user.exec !== undefined && user.authProvider !== undefined) return "has both exec and auth-provider";
  const hasImpersonation = uid !== "" || groups.length > 0 || Object.keys(extra).length > 0;
  if (impersonated === "" && hasImpersonation)
    return "impersonates a group, uid or extra without a user (as)";
  return undefined;
}

async function logInByProgram(
  cli: Pick<Cli, "env" | "cwd" | "now" | "terminal">,
  context: string,
  { exec, authProvider }: KubeUser,
  clusterInfo: object,
): Promise<ExecCredential> {
  if (exec !== undefined) return runExecPlugin(cli, context, exec, clusterInfo);
  if (authProvider === undefined) {
    throw new ContextUnusable(context, "has no token, certificate, password or login program");
  }
  const { name, idToken } = authProvider;
  if (name !== "oidc") {
    throw new ContextUnusable(
      context,
      `logs in by auth-provider ${name}, which kubectl removed in 1.26 (use an exec plugin, for EKS: aws eks update-kubeconfig)`,
    );
  }
  // Only kubectl renews it, because the new refresh token must be written into the kubeconfig.
  const expiresAt = expiryOf(idToken);
  if (cli.now() >= expiresAt) {
    throw new ContextUnusable(
      context,
      `has an OIDC token that has expired (renew it: kubectl --context ${context} get namespaces)`,
    );
  }
  return { token: idToken, expiresAt };
}

/** From the `exp` claim of a JWT. A token without it counts as expired, as in kubectl. */
function expiryOf(idToken: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString("utf8"));
    return typeof exp === "number" ? exp * 1_000 : 0;
  } catch {
    return 0;
  }
}

function clusterInfoOf(cluster: KubeCluster, authorityPem: string): object {
  const { server, tlsServerName, proxyUrl, execConfig } = cluster;
  return {
    server,
    ...(tlsServerName !== "" && { "tls-server-name": tlsServerName }),
    ...(authorityPem !== "" && {
      "certificate-authority-data": Buffer.from(authorityPem).toString("base64"),
    }),
    ...(proxyUrl !== "" && { "proxy-url": proxyUrl }),
    config: execConfig ?? null,
  };
}

function passwordHeaders({ username, password }: KubeUser): Record<string, string> {
  if (username === "" && password === "") return {};
  return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

function impersonationHeaders({ impersonation: { user, uid, groups, extra } }: KubeUser) {
  if (user === "") return {};
  return {
    "Impersonate-User": user,
    ...(uid !== "" && { "Impersonate-Uid": uid }),
    ...(groups.length > 0 && { "Impersonate-Group": groups }),
    ...Object.fromEntries(
      Object.entries(extra).map(([name, values]) => [
        `Impersonate-Extra-${encodeURIComponent(name)}`,
        values,
      ]),
    ),
  };
}
