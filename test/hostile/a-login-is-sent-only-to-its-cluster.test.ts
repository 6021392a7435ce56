import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { loadKubeconfig } from "../../cli/kubeconfig/load-kubeconfig.ts";
import { connectContext } from "../../cli/live/connect-context.ts";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { quietTerminal } from "../harness/run-cli.ts";
import { DB, failureOf, secret, shortBudget } from "./hostile-cluster.ts";
import { answer, forever, type HostileServer, useHostileServers } from "./hostile-server.ts";

const { start, afterwards } = useHostileServers();
const TOKEN = "a-persons-own-token";

type Login = { readonly server: string; readonly cluster?: object; readonly user?: object };

/** As the command line connects: by a context of a kubeconfig file. */
async function connectBy({
  server,
  cluster = {},
  user = { token: TOKEN },
}: Login): Promise<ClusterConnection> {
  const folder = await mkdtemp(join(tmpdir(), "relay-kubeconfig-"));
  afterwards(() => rm(folder, { recursive: true }));
  const file = join(folder, "config");
  const content = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "prod",
    clusters: [{ name: "prod", cluster: { server, ...cluster } }],
    contexts: [{ name: "prod", context: { cluster: "prod", user: "me" } }],
    users: [{ name: "me", user }],
  };
  await writeFile(file, JSON.stringify(content));
  const kubeconfig = await loadKubeconfig(
    { env: {}, cwd: folder, now: Date.now, terminal: quietTerminal() },
    file,
  );
  return connectContext(kubeconfig, kubeconfig.get("prod"), {
    clusterKey: "main",
    cluster: { name: "prod", region: "eu-west-1" },
    connectionsMax: 4,
    onRequest: () => {},
    onThrottled: () => {},
  });
}

const trusting = ({ url, certificateAuthorityData }: HostileServer, more: object = {}): Login => ({
  server: url,
  cluster: { "certificate-authority-data": certificateAuthorityData, ...more },
});

const anyCall = (cluster: ClusterConnection) =>
  Promise.all([
    failureOf(cluster.readSecret(DB, shortBudget())),
    failureOf(cluster.applySecret(secret(), { fieldManager: "secret-relay", force: true }, shortBudget())),
    failureOf(cluster.listMetadata("app", "x=y", shortBudget())),
    failureOf(cluster.callObject({ method: "GET", path: "/api/v1/namespaces/app/events" }, shortBudget())),
  ]);

/** Everything that a person proves themselves by. */
const seenBy = ({ requests }: HostileServer) => requests.filter((request) => request.includes(TOKEN));

describe("a user's token", () => {
  it("is sent to the server in the kubeconfig if its CA has signed the certificate", async () => {
    const server = await start(answer(secret()));
    const cluster = await connectBy(trusting(server));
    expect(await cluster.readSecret(DB, shortBudget())).toMatchObject(DB);
    expect(seenBy(server)).toHaveLength(1);
  });

  it.each(["1", "0"])(
    "is sent to no other server, by any call, with NODE_TLS_REJECT_UNAUTHORIZED=%s",
    async (setting) => {
      vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", setting);
      const authority = createCertificateAuthority();
      const ofAnotherCa = await start(answer(secret()));
      const ofAnotherName = await start(answer(secret()), { authority, hosts: ["kubernetes.example.com"] });
      const honest = await start(answer(secret()), { authority });
      const { certificateAuthorityData } = authority;
      const trusted = { "certificate-authority-data": certificateAuthorityData };
      const logins: Login[] = [
        { server: ofAnotherCa.url, cluster: trusted },
        { server: ofAnotherName.url, cluster: trusted },
        { server: ofAnotherCa.url }, // without a CA, only the CAs that Node trusts are valid
        { server: honest.url, cluster: { ...trusted, "tls-server-name": "kubernetes.example.com" } },
        {
          server: honest.url,
          cluster: { "certificate-authority-data": Buffer.from("no certificate").toString("base64") },
        },
      ];
      for (const login of logins) {
        const failures = await anyCall(await connectBy(login));
        expect(failures).toEqual(failures.map(() => expect.objectContaining({ code: "CLUSTER_UNTRUSTED" })));
      }
      expect([ofAnotherCa, ofAnotherName, honest].flatMap(({ requests }) => requests)).toEqual([]);
    },
  );

  it("is sent to a server with another name if the kubeconfig has tls-server-name", async () => {
    const server = await start(answer(secret()), { hosts: ["kubernetes.example.com"] });
    const cluster = await connectBy(trusting(server, { "tls-server-name": "kubernetes.example.com" }));
    expect(await cluster.readSecret(DB, shortBudget())).toMatchObject(DB);
  });

  it.each([
    { it: "plain HTTP", more: {}, tls: false },
    { it: "no check of the certificate", more: { "insecure-skip-tls-verify": true }, tls: true },
  ])("is not sent if the kubeconfig has $it, and the command reports why", async ({ more, tls }) => {
    const server = await start(answer(secret()), { tls });
    const failures = await anyCall(await connectBy(trusting(server, more)));
    expect(failures).toEqual(failures.map(() => expect.objectContaining({ code: "CONTEXT_UNUSABLE" })));
    expect(server.requests).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])(
    "is not sent again where a redirect with status %i points, be it the same host",
    async (status) => {
      const authority = createCertificateAuthority();
      const elsewhere = await start(answer(secret()), { authority });
      const server = await start(
        (socket, request) => {
          const location = request.includes("namespaces/app/secrets/db")
            ? `${elsewhere.url}/api/v1/namespaces/app/secrets/db`
            : "/api/v1/namespaces/app/secrets/other";
          answer("", { status, headers: { location } })(socket, request);
        },
        { authority },
      );
      const failures = await anyCall(await connectBy(trusting(server)));
      expect(failures).toEqual(failures.map(() => expect.objectContaining({ code: "CLUSTER_REJECTED" })));
      expect(server.requests).toHaveLength(failures.length);
      expect(server.requests.filter((request) => request.includes("secrets/other"))).toEqual([]);
      expect(elsewhere.requests).toEqual([]);
    },
  );
});

describe("a client certificate", () => {
  it("signs nothing for a server with an untrusted certificate", async () => {
    const mine = createCertificateAuthority().issueServerCertificate(["me"]);
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const user = {
      "client-certificate-data": base64(mine.certificatePem),
      "client-key-data": base64(mine.keyPem),
    };
    const server = await start(answer(secret()));
    const stranger = createCertificateAuthority().certificateAuthorityData;
    const failures = await anyCall(
      await connectBy({ server: server.url, cluster: { "certificate-authority-data": stranger }, user }),
    );
    expect(failures).toEqual(failures.map(() => expect.objectContaining({ code: "CLUSTER_UNTRUSTED" })));
    expect(server.requests).toEqual([]);
  });
});

it("a command times out if the server does not respond", async () => {
  const server = await start(forever("x", 20));
  const failures = await anyCall(await connectBy(trusting(server)));
  expect(failures).toEqual(
    failures.map(() =>
      expect.objectContaining({ code: "CLUSTER_UNAVAILABLE", message: expect.stringContaining("timeout") }),
    ),
  );
});
