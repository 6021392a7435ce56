import { dirname, isAbsolute, join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { KubeconfigUnreadable } from "./errors.ts";

/** The entries of one or more kubeconfig files, by name. Paths are absolute. */
export type KubeconfigEntries = {
  readonly clusters: ReadonlyMap<string, KubeCluster>;
  readonly users: ReadonlyMap<string, KubeUser>;
  readonly contexts: ReadonlyMap<string, { readonly cluster: string; readonly user: string }>;
  readonly currentContext: string;
};

/** An absent setting is an empty string, as for kubectl. */
export type KubeCluster = {
  readonly server: string;
  /** Base64. */
  readonly certificateAuthorityData: string;
  readonly certificateAuthority: string;
  readonly tlsServerName: string;
  readonly skipsTlsVerify: boolean;
  readonly proxyUrl: string;
  /** The extension that an exec plugin receives with `provideClusterInfo`. */
  readonly execConfig: unknown;
};

export type KubeUser = {
  readonly token: string;
  readonly tokenFile: string;
  /** Base64, and as a path. */
  readonly clientCertificateData: string;
  readonly clientCertificate: string;
  readonly clientKeyData: string;
  readonly clientKey: string;
  readonly username: string;
  readonly password: string;
  readonly impersonation: {
    readonly user: string;
    readonly uid: string;
    readonly groups: readonly string[];
    readonly extra: Readonly<Record<string, readonly string[]>>;
  };
  readonly exec?: ExecPlugin;
  readonly authProvider?: { readonly name: string; readonly idToken: string };
};

export type ExecPlugin = {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly installHint: string;
  readonly providesClusterInfo: boolean;
  /** Empty if the kubeconfig does not say. */
  readonly interactiveMode: string;
};

/** Throws KubeconfigUnreadable with the place of the mistake. Pure. */
export function parseKubeconfig(text: string, file: string): KubeconfigEntries {
  const root = new Reader(file, "", parseYaml(text, file));
  const folder = dirname(file);
  return {
    clusters: root.named("clusters", "cluster", (cluster) => parseCluster(cluster, folder)),
    users: root.named("users", "user", (user) => parseUser(user, folder)),
    contexts: root.named("contexts", "context", (context) => {
      return { cluster: context.text("cluster"), user: context.text("user") };
    }),
    currentContext: root.text("current-context"),
  };
}

/** As kubectl merges files: the first that sets a name or the current context wins, and nothing of the others is added. */
export function mergeFiles(files: readonly KubeconfigEntries[]): KubeconfigEntries {
  return {
    clusters: firstOfEachName(files.map(({ clusters }) => clusters)),
    users: firstOfEachName(files.map(({ users }) => users)),
    contexts: firstOfEachName(files.map(({ contexts }) => contexts)),
    currentContext: files.find(({ currentContext }) => currentContext !== "")?.currentContext ?? "",
  };
}

function firstOfEachName<T>(maps: readonly ReadonlyMap<string, T>[]): ReadonlyMap<string, T> {
  const merged = new Map<string, T>();
  for (const [name, entry] of maps.flatMap((map) => [...map])) {
    if (!merged.has(name)) merged.set(name, entry);
  }
  return merged;
}

function parseCluster(cluster: Reader, folder: string): KubeCluster {
  return {
    server: cluster.text("server"),
    certificateAuthorityData: cluster.base64("certificate-authority-data"),
    certificateAuthority: resolvePath(folder, cluster.text("certificate-authority")),
    tlsServerName: cluster.text("tls-server-name"),
    skipsTlsVerify: cluster.flag("insecure-skip-tls-verify"),
    proxyUrl: cluster.text("proxy-url"),
    execConfig: cluster
      .list("extensions")
      .find((extension) => extension.text("name") === "client.authentication.k8s.io/exec")
      ?.raw("extension"),
  };
}

function parseUser(user: Reader, folder: string): KubeUser {
  const exec = user.map("exec");
  const authProvider = user.map("auth-provider");
  return {
    token: user.text("token"),
    tokenFile: resolvePath(folder, user.text("tokenFile")),
    clientCertificateData: user.base64("client-certificate-data"),
    clientCertificate: resolvePath(folder, user.text("client-certificate")),
    clientKeyData: user.base64("client-key-data"),
    clientKey: resolvePath(folder, user.text("client-key")),
    username: user.text("username"),
    password: user.text("password"),
    impersonation: {
      user: user.text("as"),
      uid: user.text("as-uid"),
      groups: user.texts("as-groups"),
      extra: user.textsByName("as-user-extra"),
    },
    ...(exec && { exec: parseExec(exec, folder) }),
    ...(authProvider && {
      authProvider: {
        name: authProvider.text("name"),
        idToken: authProvider.map("config")?.text("id-token") ?? "",
      },
    }),
  };
}

function parseExec(exec: Reader, folder: string): ExecPlugin {
  const command = exec.text("command");
  return {
    apiVersion: exec.text("apiVersion"),
    // A command without a slash is searched in PATH.
    command: command.includes("/") ? resolvePath(folder, command) : command,
    args: exec.texts("args"),
    env: Object.fromEntries(exec.list("env").map((each) => [each.text("name"), each.text("value")])),
    installHint: exec.text("installHint"),
    providesClusterInfo: exec.flag("provideClusterInfo"),
    interactiveMode: exec.text("interactiveMode"),
  };
}

const resolvePath = (folder: string, path: string): string =>
  path === "" || isAbsolute(path) ? path : join(folder, path);

function parseYaml(text: string, file: string): unknown {
  const lines = new LineCounter();
  // kubectl's parser follows YAML 1.1, where `yes` is true.
  const document = parseDocument(text, { version: "1.1", prettyErrors: false, lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new KubeconfigUnreadable(`${file}:${line}:${col}`, "is not valid YAML");
  }
  try {
    return document.toJS() ?? {};
  } catch {
    throw new KubeconfigUnreadable(file, "is not valid YAML"); // an alias without an anchor, or too many of them
  }
}

/** Reads the settings of one map, each with its type, and knows its place for errors. */
class Reader {
  readonly #file: string;
  readonly #place: string;
  readonly #map: Readonly<Record<string, unknown>>;

  constructor(file: string, place: string, value: unknown) {
    this.#file = file;
    this.#place = place;
    if (!isMap(value)) throw new KubeconfigUnreadable(file, `has no map at ${place || "its top level"}`);
    this.#map = value;
  }

  raw(key: string): unknown {
    return Object.hasOwn(this.#map, key) ? (this.#map[key] ?? undefined) : undefined;
  }

  text(key: string): string {
    const value = this.raw(key) ?? "";
    return typeof value === "string" ? value : this.#fail(key, "text");
  }

  flag(key: string): boolean {
    const value = this.raw(key) ?? false;
    return typeof value === "boolean" ? value : this.#fail(key, "true or false");
  }

  base64(key: string): string {
    const text = this.text(key).replace(/[\r\n]/g, "");
    return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0 ? text : this.#fail(key, "base64");
  }

  texts(key: string): readonly string[] {
    const value = this.raw(key) ?? [];
    return Array.isArray(value) && value.every((each) => typeof each === "string")
      ? value
      : this.#fail(key, "a list of texts");
  }

  textsByName(key: string): Readonly<Record<string, readonly string[]>> {
    const extra = this.map(key) ?? new Reader(this.#file, this.#at(key), {});
    return Object.fromEntries(Object.keys(extra.#map).map((name) => [name, extra.texts(name)]));
  }

  map(key: string): Reader | undefined {
    const value = this.raw(key);
    return value === undefined ? undefined : new Reader(this.#file, this.#at(key), value);
  }

  list(key: string): readonly Reader[] {
    const value = this.raw(key) ?? [];
    if (!Array.isArray(value)) return this.#fail(key, "a list");
    return value.map((each, index) => new Reader(this.#file, `${this.#at(key)}[${index}]`, each));
  }

  /** A list of `{ name, <kind>: {…} }`. kubectl refuses two of one name in one file. */
  named<T>(key: string, kind: string, parse: (one: Reader) => T): ReadonlyMap<string, T> {
    const found = new Map<string, T>();
    for (const each of this.list(key)) {
      const name = each.text("name");
      if (found.has(name)) return each.#fail("name", `used once: there are two ${kind}s ${name}`);
      found.set(name, parse(each.map(kind) ?? new Reader(this.#file, each.#at(kind), {})));
    }
    return found;
  }

  #at(key: string): string {
    return this.#place === "" ? key : `${this.#place}.${key}`;
  }

  #fail(key: string, expected: string): never {
    throw new KubeconfigUnreadable(this.#file, `is not valid: ${this.#at(key)} must be ${expected}`);
  }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
