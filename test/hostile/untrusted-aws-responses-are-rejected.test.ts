import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { describe, expect, it, vi } from "vitest";
import { assumeRoleWith, describeCluster } from "../../shared/cluster/aws-clients.ts";
import { clusterDirectory } from "../../shared/cluster/cluster-directory.ts";
import { clusterCredentials } from "../../shared/cluster/credentials.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { parseBoundReference } from "../../shared/source/parse-secret-reference.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import { secretsManagerClients } from "../../shared/source/secrets-manager/clients.ts";
import { listSourceStates } from "../../shared/source/secrets-manager/list-source-states.ts";
import { readCurrentWith } from "../../shared/source/secrets-manager/read-current.ts";
import { readManyWith } from "../../shared/source/secrets-manager/read-many.ts";
import { sourceCatalog } from "../../shared/source/secrets-manager/source-catalog.ts";
import { aCluster, anIdentity, CANARY, steadyCredentials } from "../cluster/factories.ts";
import { SELF } from "../harness/relay-metadata.ts";
import { failureOf } from "./hostile-cluster.ts";
import {
  answer,
  forever,
  type HostileServer,
  headOf,
  type Misbehaviour,
  useHostileServers,
} from "./hostile-server.ts";

const { start, afterwards } = useHostileServers({ tls: false });

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
const VERSION = "4d38f1a0-0000-4000-8000-000000000001";
const DB = referenceOf("prod/db");

function referenceOf(id: string): SecretReference {
  const reference = parseBoundReference(id);
  if (reference === undefined) throw new TypeError(`${id} is not a reference`);
  return reference;
}

function connectTo({ url: endpoint }: Pick<HostileServer, "url">) {
  const clientFor = secretsManagerClients(
    (config) =>
      new SecretsManagerClient({
        region: "eu-west-1",
        credentials: anIdentity(),
        endpoint,
        ...config,
        maxAttempts: 1,
      }),
  );
  afterwards(() => clientFor(undefined).destroy());
  return {
    readCurrent: readCurrentWith(clientFor),
    readMany: readManyWith(clientFor),
    catalog: sourceCatalog(clientFor),
  };
}

const value = (more: object = {}) => ({
  ARN,
  Name: "prod/db",
  VersionId: VERSION,
  SecretString: CANARY,
  VersionStages: ["AWSCURRENT"],
  ...more,
});

function expectDisbelief(failure: unknown, says = ""): void {
  expect(failure).toMatchObject({
    code: "SOURCE_UNAVAILABLE",
    retryable: true,
    message: expect.stringContaining(says),
  });
  expect(inspect(failure, { showHidden: true, depth: null })).not.toContain(CANARY);
}

describe("a response about another source", () => {
  it("is accepted if it is about the source", async () => {
    const server = await start(answer(value()));
    expect(await connectTo(server).readCurrent(DB, startTimeBudget(5_000))).toMatchObject({
      arn: ARN,
      versionId: VERSION,
    });
  });

  it.each([
    { it: "nothing", body: {} },
    { it: "no value", body: value({ SecretString: undefined }) },
    { it: "no ARN", body: value({ ARN: undefined }) },
    { it: "no version", body: value({ VersionId: undefined }) },
    { it: "an invalid version", body: value({ VersionId: `v\n${"x".repeat(1_000)}` }) },
    { it: "another name", body: value({ ARN: ARN.replace("prod/db", "prod/other") }) },
    {
      it: "a name that only has the same prefix",
      body: value({ ARN: ARN.replace("prod/db", "prod/db-extra") }),
    },
    { it: "an ARN without its suffix", body: value({ ARN: ARN.slice(0, -7) }) },
    { it: "a string that is not an ARN", body: value({ ARN: "prod/db" }) },
    { it: "a web page", body: `<html>${CANARY}</html>` },
    { it: "JSON that is cut off", body: `{"SecretString":"${CANARY}` },
    { it: "a list", body: [value()] },
    { it: "null", body: "null" },
  ])("is neither the value of the source nor its absence: $it", async ({ body }) => {
    const server = await start(answer(body, { headers: { "content-type": "application/x-amz-json-1.1" } }));
    const { readCurrent, readMany, catalog } = connectTo(server);
    expectDisbelief(await failureOf(readCurrent(DB, startTimeBudget(5_000))));
    const batch = await start(answer(typeof body === "string" ? body : { SecretValues: [body] }));
    expectDisbelief((await connectTo(batch).readMany([DB], startTimeBudget(5_000))).get("prod/db"));
    void readMany;
    void catalog;
  });

  it.each([
    { it: "of another account", id: ARN.replace("111122223333", "444455556666") },
    { it: "of another Region", id: ARN.replace("eu-west-1", "us-east-1") },
    { it: "that was deleted and recreated", id: ARN.replace("AbCdEf", "GhIjKl") },
  ])("is rejected for a secret of the same name $it", async ({ id }) => {
    const server = await start(answer(value()));
    expectDisbelief(await failureOf(connectTo(server).readCurrent(referenceOf(id), startTimeBudget(5_000))));
  });

  it("is rejected for a pinned version if it has another version", async () => {
    const server = await start(answer(value()));
    const pinned = { ...DB, versionId: "4d38f1a0-0000-4000-8000-000000000002" as never };
    expectDisbelief(await failureOf(connectTo(server).readCurrent(pinned, startTimeBudget(5_000))));
  });

  it.each([
    { it: "nothing", body: {} },
    { it: "no ARN", body: { Name: "prod/db", VersionIdsToStages: {} } },
    { it: "another secret", body: { ARN: ARN.replace("prod/db", "prod/other"), VersionIdsToStages: {} } },
    {
      it: "another secret that is deleted",
      body: { ARN: ARN.replace("prod/db", "prod/other"), DeletedDate: 1 },
    },
  ])("does not make a source missing, because that could delete a Secret: $it", async ({ body }) => {
    const server = await start(answer(body));
    expect(await connectTo(server).catalog.describe(DB, startTimeBudget(5_000))).toMatchObject({
      kind: "unknown",
      code: "SOURCE_UNAVAILABLE",
    });
  });

  it("gives no caller a value or an error that it did not request", async () => {
    const Errors = [{ SecretId: "prod/never-asked", ErrorCode: "ResourceNotFoundException" }];
    const server = await start(
      answer({ SecretValues: [value(), value({ ARN: ARN.replace("prod/db", "prod/x") })], Errors }),
    );
    const reads = await connectTo(server).readMany([DB], startTimeBudget(5_000));
    expect([...reads.keys()]).toEqual(["prod/db"]);
  });
});

/** What is kept of an answer. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes that a server can send although the relay does not read them: the buffers of both ends, mainly in the kernel. */
const IN_FLIGHT_BYTES_MAX = 16 * 1024 * 1024;

describe("an endless response", () => {
  const big = Buffer.alloc(256 * 1024, " ");
  it.each<{ it: string; misbehave: Misbehaviour; says: string; budgetMs?: number }>([
    { it: "a body", misbehave: forever(big), says: "AnswerTooLarge", budgetMs: 30_000 },
    { it: "a body that arrives byte by byte", misbehave: forever(" ", 20), says: "AbortError" },
    {
      it: "a body of an error",
      misbehave: forever(big, 0, headOf(500, {})),
      says: "AnswerTooLarge",
      budgetMs: 30_000,
    },
    {
      it: "headers",
      misbehave: forever("x-header: x\r\n", 0, "HTTP/1.1 200 x\r\n"),
      says: "Error",
      budgetMs: 30_000,
    },
    {
      it: "informational responses",
      misbehave: forever("HTTP/1.1 102 x\r\n\r\n", 5, ""),
      says: "AbortError",
    },
    {
      it: "another protocol",
      misbehave: (socket) => socket.write("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
      says: "AbortError",
    },
    { it: "no response", misbehave: () => {}, says: "AbortError" },
  ])("makes the relay close the connection: $it", async ({ misbehave, says, budgetMs = 1_500 }) => {
    const server = await start(misbehave);
    const failure = await failureOf(connectTo(server).readCurrent(DB, startTimeBudget(budgetMs)));
    expectDisbelief(failure, says);
    await server.hungUpOn();
    expect(server.sentBytes()).toBeLessThan(ANSWER_BYTES_MAX + IN_FLIGHT_BYTES_MAX);
  });

  it("is not decompressed, because the relay did not request compression", async () => {
    const right = gzipSync(JSON.stringify(value()));
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    for (const packed of [right, bomb]) {
      const server = await start((socket) => {
        socket.write(headOf(200, { "content-encoding": "gzip", "content-length": packed.length }));
        socket.write(packed);
      });
      expectDisbelief(await failureOf(connectTo(server).readCurrent(DB, startTimeBudget(5_000))));
    }
  });

  it("of a batch, with endless pages, makes the source unreadable", async () => {
    const server = await start(answer({ SecretValues: [], NextToken: "more" }));
    expectDisbelief((await connectTo(server).readMany([DB], startTimeBudget(30_000))).get("prod/db"));
    expect(server.requests.length).toBeLessThanOrEqual(100);
  });

  it("of a list, with endless pages, makes the relay describe each source", async () => {
    const server = await start(answer({ SecretList: [], NextToken: "more" }));
    const sources = Array.from({ length: 50 }, (_, at) => referenceOf(`prod/db-${at}`));
    const { catalog } = connectTo(server);
    expect(await listSourceStates(catalog, { sources, self: SELF, budget: startTimeBudget(30_000) })).toEqual(
      new Map(),
    );
    expect(server.requests.length).toBeLessThanOrEqual(10);
  });
});

describe("a signed request", () => {
  it.each([301, 302, 307, 308])("does not follow a redirect with status %i", async (status) => {
    const elsewhere = await start(answer(value()));
    const server = await start(answer("", { status, headers: { location: elsewhere.url } }));
    expectDisbelief(await failureOf(connectTo(server).readCurrent(DB, startTimeBudget(5_000))));
    expect(server.requests).toHaveLength(1);
    expect(elsewhere.requests).toEqual([]);
  });

  it.each(["1", "0"])(
    "is never sent to a server without a trusted certificate, with NODE_TLS_REJECT_UNAUTHORIZED=%s",
    async (setting) => {
      vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", setting);
      const server = await start(answer(value()), { tls: true });
      expectDisbelief(await failureOf(connectTo(server).readCurrent(DB, startTimeBudget(5_000))));
      expect(server.requests).toEqual([]);
    },
  );
});

describe("a DescribeCluster response", () => {
  const certificateAuthority = { data: Buffer.from("no certificate").toString("base64") };
  const find = async (cluster: object) => {
    const server = await start(answer({ cluster }));
    vi.stubEnv("AWS_ENDPOINT_URL_EKS", server.url);
    const directory = clusterDirectory(describeCluster, steadyCredentials(), Date.now);
    return failureOf(directory.find(aCluster()));
  };

  it("is accepted with an HTTPS endpoint and a CA", async () => {
    const endpoint = "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com";
    expect(await find({ name: "prod", endpoint, certificateAuthority })).toMatchObject({
      answer: { url: endpoint },
    });
  });

  it.each([
    { it: "plain HTTP", cluster: { name: "prod", endpoint: "http://127.0.0.1:1", certificateAuthority } },
    { it: "a file", cluster: { name: "prod", endpoint: "file:///etc/passwd", certificateAuthority } },
    { it: "no URL", cluster: { name: "prod", endpoint: "prod", certificateAuthority } },
    {
      it: "a user before the host",
      cluster: { name: "prod", endpoint: "https://x@example.com", certificateAuthority },
    },
    { it: "a path", cluster: { name: "prod", endpoint: "https://example.com/x", certificateAuthority } },
    { it: "a query", cluster: { name: "prod", endpoint: "https://example.com?x", certificateAuthority } },
    {
      it: "another cluster",
      cluster: { name: "other", endpoint: "https://example.com", certificateAuthority },
    },
  ])("is rejected with $it", async ({ cluster }) => {
    expect(await find(cluster)).toMatchObject({ code: "CLUSTER_LOOKUP_FAILED", retryable: true });
  });
});

describe("an AssumeRole response", () => {
  it.each([
    { it: "nothing", credentials: "" },
    { it: "no key", credentials: "<SecretAccessKey>x</SecretAccessKey><SessionToken>x</SessionToken>" },
    { it: "no secret", credentials: "<AccessKeyId>AKIDEXAMPLE000000000</AccessKeyId>" },
  ])("gives no credentials with $it, and nothing is signed", async ({ credentials }) => {
    const body = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
    const server = await start(answer(body, { headers: { "content-type": "text/xml" } }));
    vi.stubEnv("AWS_ENDPOINT_URL_STS", server.url);
    const own = async () => anIdentity();
    const given = clusterCredentials(own, assumeRoleWith(own), Date.now);
    expect(await failureOf(given.of("arn:aws:iam::111122223333:role/writer", "eu-west-1"))).toMatchObject({
      code: "ROLE_NOT_ASSUMED",
    });
  });
});
