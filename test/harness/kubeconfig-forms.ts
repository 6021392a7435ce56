import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What the forms refer to. */
export type KubeconfigScene = {
  readonly folder: string;
  readonly server: string;
  readonly authorityPem: string;
  /** Logs in as an administrator. */
  readonly token: string;
  /** Logs in as an administrator, without a token. */
  readonly certificatePem: string;
  readonly keyPem: string;
};

/** One way to write a kubeconfig. */
export type KubeconfigForm = {
  readonly it: string;
  readonly write: (scene: KubeconfigScene) => void;
  /** Of KUBECONFIG, relative to the folder; `config` by default. */
  readonly files?: readonly string[];
  /** By flag instead of KUBECONFIG. */
  readonly named?: string;
  readonly env?: (scene: KubeconfigScene) => NodeJS.ProcessEnv;
  /** The login, or the code of the error. */
  readonly want: "token" | "certificate" | "password" | "impersonation" | (string & {});
  /** kubectl goes on where the command refuses, for a reason in docs/command-line.md. */
  readonly isStricter?: true;
};

const base64 = (text: string) => Buffer.from(text).toString("base64");

type Parts = { cluster?: object; user?: object; context?: object; more?: object; omits?: string };

function config({ server, authorityPem }: KubeconfigScene, parts: Parts = {}): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "prod",
    clusters: [
      {
        name: "prod-cluster",
        cluster: { server, "certificate-authority-data": base64(authorityPem), ...parts.cluster },
      },
    ],
    contexts: [{ name: "prod", context: { cluster: "prod-cluster", user: "me", ...parts.context } }],
    users: [{ name: "me", user: parts.user ?? {} }],
    ...parts.more,
  };
}

const EXEC_V1 = { apiVersion: "client.authentication.k8s.io/v1", interactiveMode: "Never" } as const;

/** A program that logs in, but only if `condition` holds. */
function loginProgram(
  { token }: KubeconfigScene,
  condition = "true",
  apiVersion: string = EXEC_V1.apiVersion,
) {
  const credential = { kind: "ExecCredential", apiVersion, status: { token } };
  return `#!/bin/sh\nif ${condition}; then echo '${JSON.stringify(credential)}'; else exit 3; fi\n`;
}

const form = (
  it: string,
  want: KubeconfigForm["want"],
  make: (scene: KubeconfigScene) => Readonly<Record<string, string | object>>,
  more: Omit<KubeconfigForm, "it" | "want" | "write"> = {},
): KubeconfigForm => ({
  it,
  want,
  ...more,
  write: (scene) => {
    for (const [name, content] of Object.entries(make(scene))) {
      const path = join(scene.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
      chmodSync(path, 0o700);
    }
  },
});

const byToken = (scene: KubeconfigScene, parts: Parts = {}) =>
  config(scene, { user: { token: scene.token }, ...parts });

const byExec = (scene: KubeconfigScene, exec: object, parts: Parts = {}) =>
  config(scene, { user: { exec: { ...EXEC_V1, ...exec } }, ...parts });

/** `sh -c`, with a condition on what the program receives. */
const shell = (scene: KubeconfigScene, condition: string) => {
  return { command: "sh", args: ["-c", loginProgram(scene, condition)] };
};

const jwtOf = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

const PATH_FORMS: readonly KubeconfigForm[] = [
  form("KUBECONFIG with one file", "token", (scene) => ({ config: byToken(scene) })),
  form("a list, with a missing file first", "token", (scene) => ({ config: byToken(scene) }), {
    files: ["absent", "config"],
  }),
  form("a list, with empty parts", "token", (scene) => ({ config: byToken(scene) }), {
    files: ["", "config", ""],
  }),
  form("a list whose files are all missing", "KUBECONFIG_MISSING", () => ({}), { files: ["absent", "gone"] }),
  form("one missing file", "KUBECONFIG_MISSING", () => ({}), { files: ["absent"] }),
  form("only empty parts", "KUBECONFIG_MISSING", () => ({}), { files: ["", ""] }),
  form(
    "an invalid file in a list",
    "KUBECONFIG_UNREADABLE",
    (scene) => ({ config: byToken(scene), other: "a: [" }),
    { files: ["config", "other"] },
  ),
  form("--kubeconfig with a missing file", "USAGE", () => ({}), { named: "absent" }),
  form(
    "--kubeconfig in place of KUBECONFIG",
    "token",
    (scene) => ({ named: byToken(scene), config: "a: [" }),
    {
      named: "named",
    },
  ),
  form("an empty file beside another", "token", (scene) => ({ config: byToken(scene), empty: "" }), {
    files: ["empty", "config"],
  }),
  form(
    "several files, where the first that defines a name wins",
    "token",
    (scene) => ({
      config: byToken(scene),
      other: config(scene, { user: { token: "wrong" }, cluster: { server: "https://127.0.0.1:9" } }),
    }),
    { files: ["config", "other"] },
  ),
  form(
    "several files, where the first that defines a user wins whole",
    "CONTEXT_UNUSABLE",
    (scene) => ({ config: config(scene), other: byToken(scene) }),
    { files: ["config", "other"] },
  ),
  form(
    "several files with one part each",
    "token",
    (scene) => ({
      contexts: config(scene, { more: { clusters: [], users: [] } }),
      clusters: config(scene, { more: { contexts: [], users: [], "current-context": "other" } }),
      users: byToken(scene, { more: { contexts: [], clusters: null, "current-context": "" } }),
    }),
    { files: ["contexts", "clusters", "users"] },
  ),
  form(
    "the first current-context of several files",
    "token",
    (scene) => ({
      first: { "current-context": "" },
      config: byToken(scene),
      other: { "current-context": "other" },
    }),
    { files: ["first", "config", "other"] },
  ),
  form(
    "certificate-authority relative to the file's folder",
    "token",
    (scene) => ({
      "sub/config": byToken(scene, {
        cluster: { "certificate-authority-data": undefined, "certificate-authority": "pki/ca.pem" },
      }),
      "sub/pki/ca.pem": scene.authorityPem,
    }),
    { files: ["sub/config"] },
  ),
  form(
    "certificate-authority above the file's folder",
    "token",
    (scene) => ({
      "sub/config": byToken(scene, {
        cluster: { "certificate-authority-data": undefined, "certificate-authority": "../ca.pem" },
      }),
      "ca.pem": scene.authorityPem,
    }),
    { files: ["sub/config"] },
  ),
  form("a certificate-authority that is missing", "CONTEXT_UNUSABLE", (scene) => ({
    config: byToken(scene, {
      cluster: { "certificate-authority-data": undefined, "certificate-authority": "ca.pem" },
    }),
  })),
  form(
    "client-certificate and client-key relative to the file's folder",
    "certificate",
    (scene) => ({
      "sub/config": config(scene, { user: { "client-certificate": "me.pem", "client-key": "./me.key" } }),
      "sub/me.pem": scene.certificatePem,
      "sub/me.key": scene.keyPem,
    }),
    { files: ["sub/config"] },
  ),
  form(
    "tokenFile relative to the file's folder, with a line break at its end",
    "token",
    (scene) => ({
      "sub/config": config(scene, { user: { tokenFile: "token" } }),
      "sub/token": `${scene.token}\n`,
    }),
    { files: ["sub/config"] },
  ),
  form("an absolute tokenFile, which wins over a token", "token", (scene) => ({
    config: config(scene, { user: { token: "wrong", tokenFile: join(scene.folder, "token") } }),
    token: scene.token,
  })),
  form("a tokenFile that is missing", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, { user: { tokenFile: "token" } }),
  })),
  form(
    "an exec command with a slash, relative to the file's folder",
    "token",
    (scene) => ({
      "sub/config": byExec(scene, { command: "./login.sh" }),
      "sub/login.sh": loginProgram(scene),
      "login.sh": "#!/bin/sh\nexit 9\n",
    }),
    { files: ["sub/config"] },
  ),
  form(
    "an exec command below the file's folder",
    "token",
    (scene) => ({
      "sub/config": byExec(scene, { command: "bin/login.sh" }),
      "sub/bin/login.sh": loginProgram(scene),
    }),
    { files: ["sub/config"] },
  ),
  form(
    "an exec command without a slash, from PATH and not from the file's folder",
    "token",
    (scene) => ({
      config: byExec(scene, { command: "relay-login" }),
      "relay-login": "#!/bin/sh\nexit 9\n",
      "bin/relay-login": loginProgram(scene),
    }),
    { env: ({ folder }) => ({ PATH: `${join(folder, "bin")}:${process.env.PATH}` }) },
  ),
  form(
    "an exec command that is only in the current folder, with a dot in PATH",
    "LOGIN_PLUGIN_FAILED",
    (scene) => ({
      config: byExec(scene, { command: "relay-login" }),
      "relay-login": loginProgram(scene),
    }),
    { env: () => ({ PATH: `.:${process.env.PATH}` }) },
  ),
  form("an exec command that is only in the PATH of its env", "LOGIN_PLUGIN_FAILED", (scene) => ({
    config: byExec(scene, {
      command: "relay-login",
      env: [{ name: "PATH", value: `${join(scene.folder, "bin")}:${process.env.PATH}` }],
    }),
    "bin/relay-login": loginProgram(scene),
  })),
];

const LOGIN_FORMS: readonly KubeconfigForm[] = [
  form("a client certificate as data", "certificate", (scene) => ({
    config: config(scene, {
      user: {
        "client-certificate-data": base64(scene.certificatePem),
        "client-key-data": base64(scene.keyPem),
      },
    }),
  })),
  form("a client certificate without a key", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, { user: { "client-certificate-data": base64(scene.certificatePem) } }),
  })),
  form("a client certificate as data and as a file", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, {
      user: {
        "client-certificate-data": base64(scene.certificatePem),
        "client-certificate": "me.pem",
        "client-key-data": base64(scene.keyPem),
      },
    }),
    "me.pem": scene.certificatePem,
  })),
  form("a CA as data and as a file", "CONTEXT_UNUSABLE", (scene) => ({
    config: byToken(scene, { cluster: { "certificate-authority": "ca.pem" } }),
    "ca.pem": scene.authorityPem,
  })),
  form("a token and a password", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, { user: { token: scene.token, username: "me", password: "mine" } }),
  })),
  form("a user without any login", "CONTEXT_UNUSABLE", (scene) => ({ config: config(scene) })),
  form("a user that does not exist", "CONTEXT_UNUSABLE", (scene) => ({
    config: byToken(scene, { context: { user: "you" } }),
  })),
  form("a cluster that does not exist", "CONTEXT_UNUSABLE", (scene) => ({
    config: byToken(scene, { context: { cluster: "staging" } }),
  })),
  form("a token that is a number", "KUBECONFIG_UNREADABLE", (scene) => ({
    config: config(scene, { user: { token: 12 } }),
  })),
  form("data that is not base64", "KUBECONFIG_UNREADABLE", (scene) => ({
    config: byToken(scene, { cluster: { "certificate-authority-data": "-----BEGIN" } }),
  })),
  form("two users of one name in one file", "KUBECONFIG_UNREADABLE", (scene) => ({
    config: byToken(scene, {
      more: {
        users: [
          { name: "me", user: { token: scene.token } },
          { name: "me", user: {} },
        ],
      },
    }),
  })),
  form("fields that it does not know", "token", (scene) => ({
    config: byToken(scene, {
      more: { preferences: { colors: true }, extensions: [] },
      cluster: { unknown: 1 },
    }),
  })),
  form("tls-server-name", "token", (scene) => ({
    config: byToken(scene, { cluster: { "tls-server-name": "localhost" } }),
  })),
  form("an impersonated user with groups and extra", "impersonation", (scene) => ({
    config: config(scene, {
      user: {
        token: scene.token,
        as: "jane",
        "as-uid": "42",
        "as-groups": ["system:masters", "support"],
        "as-user-extra": { "example.com/reason": ["rotation", "drill"] },
      },
    }),
  })),
  form("an impersonated group without a user", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, { user: { token: scene.token, "as-groups": ["support"] } }),
  })),
  form(
    "insecure-skip-tls-verify",
    "CONTEXT_UNUSABLE",
    (scene) => ({
      config: byToken(scene, {
        cluster: { "certificate-authority-data": undefined, "insecure-skip-tls-verify": true },
      }),
    }),
    { isStricter: true },
  ),
  form(
    "insecure-skip-tls-verify, written as yes in YAML",
    "CONTEXT_UNUSABLE",
    (scene) => ({
      config: [
        "apiVersion: v1",
        "kind: Config",
        "current-context: prod",
        "clusters:",
        `- {name: c, cluster: {server: "${scene.server}", insecure-skip-tls-verify: yes}}`,
        "contexts: [{name: prod, context: {cluster: c, user: me}}]",
        `users: [{name: me, user: {token: "${scene.token}"}}]`,
      ].join("\n"),
    }),
    { isStricter: true },
  ),
  form("exec with arguments and env", "token", (scene) => ({
    config: byExec(scene, {
      command: "sh",
      args: ["-c", loginProgram(scene, '[ "$LOGIN_MODE" = strict ] && [ "$0" = word ]'), "word"],
      env: [{ name: "LOGIN_MODE", value: "strict" }],
    }),
  })),
  form("exec, which is told that it is not interactive", "token", (scene) => ({
    config: byExec(scene, shell(scene, 'echo "$KUBERNETES_EXEC_INFO" | grep -q \'"interactive":false\'')),
  })),
  form("exec without provideClusterInfo, which is told no cluster", "token", (scene) => ({
    config: byExec(scene, shell(scene, 'echo "$KUBERNETES_EXEC_INFO" | grep -vq \'"cluster"\'')),
  })),
  form("exec with provideClusterInfo, which is told the cluster and its extension", "token", (scene) => ({
    config: byExec(
      scene,
      {
        ...shell(
          scene,
          `echo "$KUBERNETES_EXEC_INFO" | grep '"server":"${scene.server}"' | grep '"audience":"relay"' | grep -q '"certificate-authority-data":"${base64(scene.authorityPem)}"'`,
        ),
        provideClusterInfo: true,
      },
      {
        cluster: {
          extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "relay" } }],
        },
      },
    ),
  })),
  form("exec by v1beta1 without an interactiveMode", "token", (scene) => {
    const apiVersion = "client.authentication.k8s.io/v1beta1";
    const exec = { apiVersion, command: "sh", args: ["-c", loginProgram(scene, "true", apiVersion)] };
    return { config: config(scene, { user: { exec } }) };
  }),
  form("exec by v1alpha1", "CONTEXT_UNUSABLE", (scene) => {
    const apiVersion = "client.authentication.k8s.io/v1alpha1";
    const exec = { apiVersion, command: "sh", args: ["-c", loginProgram(scene, "true", apiVersion)] };
    return { config: config(scene, { user: { exec } }) };
  }),
  form("exec by v1 without an interactiveMode", "CONTEXT_UNUSABLE", (scene) => ({
    config: byExec(scene, { ...shell(scene, "true"), interactiveMode: undefined }),
  })),
  form("exec with interactiveMode Always, without a terminal", "CONTEXT_UNUSABLE", (scene) => ({
    config: byExec(scene, { ...shell(scene, "true"), interactiveMode: "Always" }),
  })),
  form("exec with interactiveMode IfAvailable, without a terminal", "token", (scene) => ({
    config: byExec(scene, { ...shell(scene, "true"), interactiveMode: "IfAvailable" }),
  })),
  form("exec that answers in another apiVersion", "LOGIN_PLUGIN_FAILED", (scene) => ({
    config: byExec(scene, {
      command: "sh",
      args: ["-c", loginProgram(scene, "true", "client.authentication.k8s.io/v1beta1")],
    }),
  })),
  form("exec that fails", "LOGIN_PLUGIN_FAILED", (scene) => ({
    config: byExec(scene, shell(scene, "false")),
  })),
  form("exec that prints no JSON", "LOGIN_PLUGIN_FAILED", (scene) => ({
    config: byExec(scene, { command: "sh", args: ["-c", "echo hello"] }),
  })),
  form("exec that prints an empty status", "LOGIN_PLUGIN_FAILED", (scene) => ({
    config: byExec(scene, {
      command: "sh",
      args: ["-c", `echo '{"kind":"ExecCredential","apiVersion":"${EXEC_V1.apiVersion}","status":{}}'`],
    }),
  })),
  form("exec whose program is missing", "LOGIN_PLUGIN_FAILED", (scene) => ({
    config: byExec(scene, { command: "no-such-login", installHint: "Install no-such-login." }),
  })),
  form("exec that prints a client certificate", "certificate", (scene) => ({
    config: byExec(scene, { command: "cat", args: [join(scene.folder, "credential.json")] }),
    "credential.json": {
      kind: "ExecCredential",
      apiVersion: EXEC_V1.apiVersion,
      status: { clientCertificateData: scene.certificatePem, clientKeyData: scene.keyPem },
    },
  })),
  form("a token beside exec, which is not started", "token", (scene) => ({
    config: config(scene, {
      user: { token: scene.token, exec: { ...EXEC_V1, command: "no-such-login" } },
    }),
  })),
  form("exec and auth-provider", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, {
      user: { exec: { ...EXEC_V1, ...shell(scene, "true") }, "auth-provider": { name: "oidc" } },
    }),
  })),
  form("auth-provider gcp, which kubectl removed", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, { user: { "auth-provider": { name: "gcp", config: {} } } }),
  })),
  form("auth-provider azure, which kubectl removed", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, { user: { "auth-provider": { name: "azure", config: {} } } }),
  })),
  form("auth-provider oidc with an expired token", "CONTEXT_UNUSABLE", (scene) => ({
    config: config(scene, {
      user: {
        "auth-provider": {
          name: "oidc",
          config: {
            "idp-issuer-url": "https://127.0.0.1:9",
            "client-id": "x",
            "id-token": jwtOf({ exp: 1 }),
          },
        },
      },
    }),
  })),
];

export const KUBECONFIG_FORMS: readonly KubeconfigForm[] = [...PATH_FORMS, ...LOGIN_FORMS];

/** The environment that both kubectl and the command get. */
export function environmentOf(form: KubeconfigForm, scene: KubeconfigScene): NodeJS.ProcessEnv {
  const paths = (form.files ?? ["config"]).map((file) => (file === "" ? "" : join(scene.folder, file)));
  return { HOME: scene.folder, PATH: process.env.PATH, KUBECONFIG: paths.join(":"), ...form.env?.(scene) };
}
