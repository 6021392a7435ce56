import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadKubeconfig } from "../../cli/kubeconfig/load-kubeconfig.ts";
import type { Login } from "../../cli/kubeconfig/log-in.ts";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import { environmentOf, KUBECONFIG_FORMS, type KubeconfigScene } from "../harness/kubeconfig-forms.ts";
import { quietTerminal } from "../harness/run-cli.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function openScene(): KubeconfigScene {
  const folder = mkdtempSync(join(tmpdir(), "relay-kubeconfig-"));
  folders.push(folder);
  const authority = createCertificateAuthority();
  return {
    folder,
    server: "https://127.0.0.1:8443",
    authorityPem: authority.certificatePem,
    token: "an-admins-token",
    ...authority.issueServerCertificate(["me"]),
  };
}

async function logIn(env: NodeJS.ProcessEnv, cwd: string, named?: string): Promise<Login> {
  const kubeconfig = await loadKubeconfig({ env, cwd, now: Date.now, terminal: quietTerminal() }, named);
  return kubeconfig.login(kubeconfig.get(kubeconfig.currentContext ?? "prod"));
}

function kindOf({ bearer, endpoint: { headers, tls } }: Login, { token, certificatePem }: KubeconfigScene) {
  if (headers?.["Impersonate-User"] !== undefined) return "impersonation";
  if (headers?.Authorization !== undefined) return "password";
  return bearer === token
    ? "token"
    : tls?.clientCertificate?.certificatePem === certificatePem
      ? "certificate"
      : "another login";
}

describe("a kubeconfig", () => {
  it.each(KUBECONFIG_FORMS)("is read with $it: $want", async (form) => {
    const scene = openScene();
    form.write(scene);
    const found = await logIn(environmentOf(form, scene), scene.folder, form.named).then(
      (login) => kindOf(login, scene),
      (error: { code: string }) => error.code,
    );
    expect(found).toBe(form.want);
  });
});

const oidc = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.c2ln`;

describe("a login", () => {
  const write = async (user: object, cluster: object = {}): Promise<Login> => {
    const scene = openScene();
    const { writeFileSync } = await import("node:fs");
    writeFileSync(
      join(scene.folder, "config"),
      JSON.stringify({
        "current-context": "prod",
        clusters: [{ name: "c", cluster: { server: scene.server, ...cluster } }],
        contexts: [{ name: "prod", context: { cluster: "c", user: "me" } }],
        users: [{ name: "me", user }],
      }),
    );
    return logIn({ KUBECONFIG: join(scene.folder, "config") }, scene.folder);
  };

  it("by password is sent as basic authentication", async () => {
    const { bearer, endpoint } = await write({ username: "me", password: "mine" });
    expect({ bearer, headers: endpoint.headers }).toEqual({
      bearer: "",
      headers: { Authorization: `Basic ${Buffer.from("me:mine").toString("base64")}` },
    });
  });

  it("by OIDC uses the token until it expires", async () => {
    const token = oidc(Date.now() / 1_000 + 60);
    const user = { "auth-provider": { name: "oidc", config: { "id-token": token } } };
    expect((await write(user)).bearer).toBe(token);
  });

  it("takes the proxy of the cluster, and its server name", async () => {
    const { endpoint } = await write(
      { token: "t" },
      { "proxy-url": "http://proxy.example.com:3128", "tls-server-name": "kubernetes" },
    );
    expect(endpoint).toMatchObject({
      proxyUrl: "http://proxy.example.com:3128",
      tls: { serverName: "kubernetes", trustsPublicAuthorities: true },
    });
  });

  it("names the missing program and the hint of the kubeconfig", async () => {
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      interactiveMode: "Never",
      command: "no-such-login",
      installHint: "Install it from https://example.com.",
    };
    await expect(write({ exec })).rejects.toThrow(
      /no-such-login was not found.*kubectl --context prod get namespaces.*Install it from https:\/\/example\.com\./s,
    );
  });

  it("names the file, the line and the column of invalid YAML", async () => {
    const { folder } = openScene();
    const { writeFileSync } = await import("node:fs");
    const file = join(folder, "config");
    writeFileSync(file, "apiVersion: v1\nusers: [\n");
    await expect(logIn({ KUBECONFIG: file }, folder)).rejects.toThrow(`${file}:3:1 is not valid YAML`);
  });
});
