import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { type BuiltFunction, buildRotation } from "../harness/build-function.ts";
import { newCanary } from "../harness/canary.ts";
import { adminKubeconfig, type Desk, openDesk } from "../harness/command-line.ts";
import { type ForwardProxy, startForwardProxy } from "../harness/forward-proxy.ts";
import { labelUpdated, pinnedCluster } from "../harness/relay.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { type SandboxBackend, startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { startBuiltFunction } from "../rotation/start-built-function.ts";

let backend: SandboxBackend;
let built: BuiltFunction;
let scene: Scene;
let desk: Desk;
let proxy: ForwardProxy;

beforeAll(async () => {
  [backend, built] = await Promise.all([startSandboxBackend(), buildRotation()]);
});
afterAll(async () => {
  await built?.remove();
  await backend?.stop();
});
beforeEach(async () => {
  proxy = await startForwardProxy();
  for (const [name, value] of Object.entries(backend.aws.env)) vi.stubEnv(name, value);
  scene = await openScene(backend);
  await scene.grant(["db"]);
  desk = openDesk(backend, { now: Date.now });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  scene.close();
  desk.close();
  await proxy.stop();
});

/** A loopback address never goes through a proxy. The certificate is valid for this name, and only the proxy finds it. */
const named = (url: string): string => url.replace("127.0.0.1", "localhost.");

const hostOf = (url: string): string => new URL(url).host;

function namedAws(): Record<string, string> {
  return Object.fromEntries(Object.entries(backend.aws.env).map(([name, value]) => [name, named(value)]));
}

const namedCluster = () => ({ ...pinnedCluster(backend), endpoint: named(backend.kubernetes.endpoint) });

const secretText = () => JSON.stringify({ username: "app", password: newCanary() });

const throughProxy = () => {
  const requests = [...new Set(proxy.requests)];
  return {
    kubernetes: requests.includes(`CONNECT ${hostOf(named(backend.kubernetes.endpoint))}`),
    aws: requests.some((request) => request.startsWith("POST http://localhost.:")),
  };
};

describe("a built function", () => {
  const invoke = async (env: Record<string, string>, { cluster = namedCluster(), aws = namedAws() } = {}) => {
    const source = await scene.createSource(`prod/${randomUUID().slice(0, 8)}`, secretText());
    const bindings = {
      version: 1,
      clusters: { main: cluster },
      bindings: [{ source: source.name, targets: [{ namespace: scene.namespace, name: "db" }] }],
    };
    const file = join(built.folder, `${randomUUID()}.json`);
    await writeFile(file, JSON.stringify(loadBindings(JSON.stringify(bindings), "test")));
    const run = await startBuiltFunction(built.handlerFile, backend.aws, {
      ...aws,
      BINDINGS_FILE: file,
      ...env,
    });
    const answer = await run.invoke(labelUpdated(backend, source));
    const printed = await run.stop();
    return { answer, printed };
  };
  const written = { answer: { targets: [{ outcome: "written" }] } };

  it("reaches AWS and the API server through the proxy", async () => {
    const { answer } = await invoke({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url });
    expect(answer).toMatchObject(written);
    expect(throughProxy()).toEqual({ kubernetes: true, aws: true });
  });

  it("sends the login of the proxy, and logs neither it nor the proxy", async () => {
    const withLogin = proxy.url.replace("//", "//me:hunter2@");
    const { answer, printed } = await invoke({ HTTPS_PROXY: withLogin, http_proxy: withLogin });
    expect(answer).toMatchObject(written);
    const basic = `Basic ${Buffer.from("me:hunter2").toString("base64")}`;
    expect(new Set(proxy.authorizations)).toEqual(new Set([basic]));
    expect(printed).not.toMatch(/hunter2|proxy/i);
  });

  it("connects directly to an address that needs no proxy", async () => {
    const { answer } = await invoke(
      { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url },
      { cluster: pinnedCluster(backend), aws: { ...backend.aws.env } },
    );
    expect(answer).toMatchObject(written);
    expect(proxy.requests).toEqual([]);
  });

  it("fails with the code of the cluster if the proxy refuses, and says that there is a proxy", async () => {
    const refusing = await startForwardProxy({ refuses: true });
    const { printed } = await invoke({ HTTPS_PROXY: refusing.url, HTTP_PROXY: proxy.url });
    await refusing.stop();
    expect(printed).toContain("CLUSTER_UNAVAILABLE");
    expect(printed).toContain("through a proxy");
  });
});

describe("the command", () => {
  const sync = async (cluster: object = namedCluster()) => {
    const source = await scene.createSource(`prod/${randomUUID().slice(0, 8)}`, secretText());
    desk.writeBindings([{ source: source.name, targets: [{ namespace: scene.namespace, name: "db" }] }], {
      main: cluster,
    });
    const run = await desk.runJson("sync", `${scene.namespace}/db`);
    return run.json;
  };
  const done = { ok: true, targets: [{ outcome: "written" }] };
  const kubeconfig = (more: object = {}) => {
    const config = adminKubeconfig(backend) as { clusters: { cluster: { server: string } }[] };
    const [{ cluster } = { cluster: { server: "" } }] = config.clusters;
    Object.assign(cluster, { server: named(cluster.server), ...more });
    desk.write("kubeconfig", config);
  };
  const useNamedAws = () => {
    for (const [name, value] of Object.entries(namedAws())) vi.stubEnv(name, value);
  };

  it("reaches AWS and the API server through the proxy", async () => {
    kubeconfig();
    useNamedAws();
    vi.stubEnv("https_proxy", proxy.url);
    vi.stubEnv("http_proxy", proxy.url);
    expect(await sync()).toMatchObject(done);
    expect(throughProxy()).toEqual({ kubernetes: true, aws: true });
  });

  it("connects directly where NO_PROXY says so", async () => {
    kubeconfig({
      server: backend.kubernetes.endpoint.replace("127.0.0.1", "0.0.0.0"),
      "tls-server-name": "localhost",
    });
    vi.stubEnv("HTTPS_PROXY", proxy.url);
    vi.stubEnv("NO_PROXY", "0.0.0.0/8");
    expect(await sync()).toMatchObject(done);
    expect(proxy.requests).toEqual([]);
  });

  it("uses the proxy of the kubeconfig, also on a host that NO_PROXY names", async () => {
    kubeconfig({ "proxy-url": proxy.url });
    vi.stubEnv("NO_PROXY", "localhost.");
    expect(await sync()).toMatchObject(done);
    expect(throughProxy()).toEqual({ kubernetes: true, aws: false });
  });

  it("verifies the API server's certificate through the proxy", async () => {
    kubeconfig({ "tls-server-name": "other.example.com" });
    vi.stubEnv("HTTPS_PROXY", proxy.url);
    expect(await sync()).toMatchObject({ ok: false, targets: [{ code: "CLUSTER_UNTRUSTED" }] });
    expect(throughProxy().kubernetes).toBe(true);
  });

  it("names a proxy that it cannot use", async () => {
    kubeconfig();
    vi.stubEnv("HTTPS_PROXY", "socks5://127.0.0.1:1080");
    expect(await sync()).toMatchObject({ ok: false, targets: [{ code: "PROXY_UNUSABLE" }] });
  });
});
