import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterEach, describe, expect, it } from "vitest";
import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import { connectClusters } from "../../shared/cluster/connect-clusters.ts";
import { clustersToWarm, warmUp } from "../../shared/relay/warm-up.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { secretsManagerClients } from "../../shared/source/secrets-manager/clients.ts";
import { readCurrentWith } from "../../shared/source/secrets-manager/read-current.ts";
import { warmClient } from "../../shared/source/secrets-manager/warm-client.ts";
import { type Answer, answerJson, secretBody, startApiServer } from "../cluster/api-server.ts";
import { buildRotation } from "../harness/build-function.ts";
import { newCanary } from "../harness/canary.ts";
import { startBuiltFunction } from "../rotation/start-built-function.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";

describe("a start", () => {
  it("requests the version of a cluster with a token, and sends Secrets Manager an empty unsigned request", async () => {
    const { warm, cluster, secretsManager } = await openWorld();

    await warm();

    expect(cluster.requests).toEqual([
      {
        method: "GET",
        url: "/version",
        authorization: expect.stringMatching(/^Bearer k8s-aws-v1\./),
        body: "",
      },
    ]);
    expect(secretsManager.requests).toEqual([{ method: "GET", url: "/", isSigned: false, body: "" }]);
  });

  it("leaves open connections that the first calls use", async () => {
    const { warm, cluster, secretsManager, readSecret, readSource } = await openWorld();

    await warm();
    await readSecret();
    await readSource();

    expect(cluster.sockets.opened).toBe(1);
    expect(secretsManager.opened()).toBe(1);
  });

  it.each<[string, Answer]>([
    ["refuses the token", (_, response) => answerJson(response, 401, {})],
    ["forbids the read of its version", (_, response) => answerJson(response, 403, {})],
    ["throttles", (_, response) => answerJson(response, 429, {}, { "retry-after": "1" })],
    ["returns 500", (_, response) => answerJson(response, 500, {})],
    ["closes the connection", (_, response) => response.destroy()],
    ["never responds", () => {}],
    ["redirects", (_, response) => response.writeHead(307, { location: "https://example.com/" }).end()],
  ])("continues if a cluster %s, and the first event still calls the cluster", async (_, answer) => {
    let isWell = false;
    const { warm, readSecret } = await openWorld((request, response, body) =>
      isWell ? answerVersionOrSecret(request, response, body) : answer(request, response, body),
    );

    await warm();
    isWell = true;

    expect(await readSecret()).toMatchObject({ name: "db" });
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["returns 500", (response) => response.writeHead(500).end()],
    ["closes the connection", (response) => response.destroy()],
    ["never responds", () => {}],
  ])("continues if Secrets Manager %s, which is called once", async (_, misbehave) => {
    let isWell = false;
    const { warm, secretsManager, readSource } = await openWorld(answerVersionOrSecret, (response) =>
      isWell ? answerSource(response) : misbehave(response),
    );

    await warm();
    isWell = true;

    expect(secretsManager.requests).toHaveLength(1);
    expect(await readSource()).toMatchObject({ arn: ARN });
  });

  it("continues if no server listens", async () => {
    const { warm, cluster, secretsManager } = await openWorld();
    await cluster.stop();
    await secretsManager.stop();

    expect(await warm()).toBeUndefined();
  });

  it("happens in the built function before it accepts an event", async () => {
    const { cluster, secretsManager, clusters } = await openWorld();
    const built = await buildRotation();
    cleanUps.push(built.remove);
    const bindings = [{ source: ARN, targets: [{ namespace: "app", name: "db" }] }];
    const file = join(built.folder, "bindings.yaml");
    await writeFile(file, JSON.stringify({ version: 1, clusters, bindings }));
    const aws = { region: "eu-west-1", accountId: "111122223333", env: CREDENTIALS };
    const run = await startBuiltFunction(built.handlerFile, aws as never, {
      BINDINGS_FILE: file,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
    });
    cleanUps.push(run.stop);

    expect(run.start).toEqual({ kind: "ready" });
    expect(cluster.requests.map(({ url }) => url)).toEqual(["/version"]);
    expect(secretsManager.requests.map(({ url }) => url)).toEqual(["/"]);
  });
});

describe("the clusters that a start connects to", () => {
  const unpinned: ClusterConfig = { name: "c", region: "eu-west-1" };
  const pinned = { ...unpinned, endpoint: "https://example.com", certificateAuthorityData: "Q0E=" };
  it.each<[string, Record<string, ClusterConfig>, string[]]>([
    ["the only one, even if it needs a lookup", { main: unpinned }, ["main"]],
    ["of several, the ones without a lookup", { a: unpinned, b: pinned, c: unpinned, d: pinned }, ["b", "d"]],
    ["at most four", { a: pinned, b: pinned, c: pinned, d: pinned, e: pinned }, ["a", "b", "c", "d"]],
    ["none of several that all need a lookup", { a: unpinned, b: unpinned }, []],
  ])("are %s", (_, clusters, expected) => {
    expect(clustersToWarm(clusters)).toEqual(expected);
  });
});

const CREDENTIALS = {
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

/** A cluster and Secrets Manager that record requests, and a start that connects to both. */
async function openWorld(answer: Answer = answerVersionOrSecret, answerAws = answerSource) {
  const cluster = await startApiServer(answer);
  cleanUps.push(() => cluster.stop().catch(() => {}));
  const secretsManager = await startSecretsManager(answerAws);
  cleanUps.push(secretsManager.stop);
  const { url: endpoint, certificateAuthorityData } = cluster.endpoint;
  const clusters = { main: { name: "main", region: "eu-west-1", endpoint, certificateAuthorityData } };
  const credentials = {
    accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID,
    secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
  };
  const clientFor = secretsManagerClients(
    (options) =>
      new SecretsManagerClient({
        region: "eu-west-1",
        credentials,
        endpoint: secretsManager.url,
        ...options,
      }),
  );
  cleanUps.push(() => clientFor(undefined).destroy());
  const connect = connectClusters(clusters, {
    ownCredentials: async () => credentials,
    assumeRole: async () => credentials,
    describeCluster: async () => undefined,
    now: Date.now,
    tokenLifeMs: 600_000,
    fips: false,
    connectionsMax: 4,
    onTokenMinted: () => {},
  });
  const source = { id: ARN, names: ["prod/db"] } as const;
  return {
    cluster,
    secretsManager,
    clusters,
    warm: () => warmUp(clusters, connect, { warmUp: (budget) => warmClient(clientFor(undefined), budget) }),
    readSecret: () => connect("main").readSecret({ namespace: "app", name: "db" }, startTimeBudget(10_000)),
    readSource: () => readCurrentWith(clientFor)(source, startTimeBudget(10_000)),
  };
}

async function startSecretsManager(answer: (response: ServerResponse) => void) {
  const requests: { method: string; url: string; isSigned: boolean; body: string }[] = [];
  let opened = 0;
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url = "", headers } = request;
    requests.push({ method, url, isSigned: headers.authorization !== undefined, body });
    answer(response);
  });
  server.on("connection", () => {
    opened += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    opened: () => opened,
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answerVersionOrSecret(...[request, response]: Parameters<Answer>): void {
  answerJson(response, 200, request.url === "/version" ? { major: "1", minor: "36" } : secretBody());
}

function answerSource(response: ServerResponse): void {
  const body = { ARN, VersionId: "11111111-2222-4333-8444-555555555555", SecretString: newCanary() };
  response.writeHead(200, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
}
