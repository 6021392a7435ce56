import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import { CANARY } from "../cluster/factories.ts";
import { connectTo, DB, failureOf, row, secret, shortBudget, table } from "./hostile-cluster.ts";
import {
  answer,
  forever,
  type HostileServer,
  headOf,
  type Misbehaviour,
  useHostileServers,
} from "./hostile-server.ts";

const { start } = useHostileServers();

const tokensAt = ({ requests }: HostileServer) =>
  requests.filter((request) => request.includes("k8s-aws-v1."));

/** What the API server is trusted with is one thing; that nothing of an answer is repeated another. */
function expectDisbelief(failure: unknown, says = ""): void {
  expect(failure).toMatchObject({
    code: "CLUSTER_UNAVAILABLE",
    retryable: true,
    message: expect.stringContaining(says),
  });
  expect(inspect(failure, { showHidden: true, depth: null })).not.toContain(CANARY);
}

describe("the token", () => {
  it("is sent to the API server with the certificate of the cluster", async () => {
    const server = await start(answer(secret()));
    await connectTo(server).readSecret(DB, shortBudget());
    expect(tokensAt(server)).toHaveLength(1);
  });

  it.each([
    { it: "a CA that is not the cluster's", trusted: createCertificateAuthority(), hosts: ["127.0.0.1"] },
    { it: "a name that is not the endpoint's", trusted: undefined, hosts: ["kubernetes.example.com"] },
  ])("is never sent to a server with $it, by any call", async ({ trusted, hosts }) => {
    const authority = createCertificateAuthority();
    const server = await start(answer(secret()), { hosts, authority });
    const { certificateAuthorityData } = trusted ?? authority;
    const cluster = connectTo({ url: server.url, certificateAuthorityData });

    const failures = await Promise.all([
      failureOf(cluster.readSecret(DB, shortBudget())),
      failureOf(cluster.applySecret(secret(), { fieldManager: "secret-relay", force: true }, shortBudget())),
      failureOf(cluster.readMetadata(DB, shortBudget())),
      failureOf(cluster.listMetadata("app", "x=y", shortBudget())),
      failureOf(cluster.deleteSecret(DB, { uid: "u", resourceVersion: "1" }, shortBudget())),
      failureOf(
        cluster.callObject(
          { method: "GET", path: "/apis/apps/v1/namespaces/app/deployments" },
          shortBudget(),
        ),
      ),
    ]);

    expect(failures).toEqual(failures.map(() => expect.objectContaining({ code: "CLUSTER_UNTRUSTED" })));
    expect(server.requests).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])(
    "does not follow a redirect with status %i, to another host or to plain HTTP",
    async (status) => {
      const plain = await start(answer(secret()), { tls: false });
      const authority = createCertificateAuthority(); // even one that the cluster's CA vouches for
      const elsewhere = await start(answer(secret()), { authority });
      for (const { url } of [plain, elsewhere]) {
        const server = await start(
          answer("", { status, headers: { location: `${url}/api/v1/namespaces/app/secrets/db` } }),
          { authority },
        );
        const failure = await failureOf(connectTo(server).readSecret(DB, shortBudget()));
        expect(failure).toMatchObject({ code: "CLUSTER_REJECTED", retryable: false });
        expect(server.requests).toHaveLength(1);
      }
      expect([...plain.requests, ...elsewhere.requests]).toEqual([]);
    },
  );

  it("is not sent over a connection with another protocol", async () => {
    const server = await start((socket) =>
      socket.write("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
    );
    expectDisbelief(await failureOf(connectTo(server).readSecret(DB, shortBudget())));
    expect(tokensAt(server)).toHaveLength(1);
  });
});

describe("a response about another object", () => {
  const lies: { it: string; body: unknown; headers?: object }[] = [
    { it: "another name", body: secret({}, { name: "other" }) },
    { it: "another namespace", body: secret({}, { namespace: "other" }) },
    { it: "no uid", body: secret({}, { uid: undefined }) },
    { it: "another kind", body: secret({ kind: "ConfigMap" }) },
    { it: "a list", body: { kind: "SecretList", apiVersion: "v1", metadata: {}, items: [secret()] } },
    { it: "a Status", body: { kind: "Status", status: "Success", code: 200 } },
    { it: "a web page", body: `<html>${CANARY}</html>`, headers: { "content-type": "text/html" } },
    { it: "JSON that is cut off", body: `{"kind":"Secret","data":{"password":"${CANARY}` },
    { it: "nothing", body: "" },
    { it: "null", body: "null" },
    { it: "a number", body: "7" },
    { it: "a list of lists, 50,000 deep", body: `${"[".repeat(50_000)}${"]".repeat(50_000)}` },
    { it: "data that is a number", body: secret({ data: { password: 12345 } }) },
    { it: "metadata that is a string", body: secret({ metadata: CANARY }) },
    {
      it: "annotations that are numbers",
      body: secret({}, { annotations: { "secret-relay/version-id": 7 } }),
    },
    { it: "managedFields that is not a list", body: secret({}, { managedFields: { manager: CANARY } }) },
    { it: "managedFields with strings", body: secret({}, { managedFields: [CANARY, null, 7] }) },
  ];

  it.each(lies)("is rejected as a Secret: $it", async ({ body, headers = {} }) => {
    const server = await start(answer(body, { headers: headers as Record<string, unknown> }));
    const cluster = connectTo(server);
    expectDisbelief(await failureOf(cluster.readSecret(DB, shortBudget())), "HTTP 200 without");
    expectDisbelief(
      await failureOf(
        cluster.applySecret(secret(), { fieldManager: "secret-relay", force: false }, shortBudget()),
      ),
      "HTTP 200 without",
    );
  });

  it("is rejected after an apply if its uid differs", async () => {
    const server = await start(answer(secret({}, { uid: "uid-2" })));
    expectDisbelief(
      await failureOf(
        connectTo(server).applySecret(
          secret(),
          { fieldManager: "secret-relay", force: false },
          shortBudget(),
        ),
      ),
      "HTTP 200 without",
    );
  });

  const tables: { it: string; body: unknown }[] = [
    { it: "no row at all", body: table([]) },
    { it: "two rows", body: table([row("db"), row("db")]) },
    { it: "another name", body: table([row("other")]) },
    { it: "another namespace", body: table([row("db", { namespace: "other" })]) },
    { it: "a row that is null", body: table([null]) },
    { it: "a row without an object", body: table([{ cells: ["db", "Opaque"] }]) },
    { it: "rows that are a string", body: table(CANARY as never) },
    { it: "no type in the row", body: table([{ ...row("db"), cells: [] }]) },
    { it: "columns that are a string", body: { ...table([row("db")]), columnDefinitions: CANARY } },
    { it: "the Secret itself", body: secret() },
  ];
  it.each(tables)("is neither the metadata of a Secret nor its absence: $it", async ({ body }) => {
    const server = await start(answer(body));
    expectDisbelief(await failureOf(connectTo(server).readMetadata(DB, shortBudget())), "HTTP 200 without");
  });

  it.each([
    { it: "Secrets of another namespace", body: table([row("db"), row("db", { namespace: "kube-system" })]) },
    { it: "more than a page", body: table(Array.from({ length: 501 }, (_, at) => row(`db-${at}`))) },
    { it: "a token that is not a string", body: table([row("db")], { continue: { length: 1 } }) },
  ])("is rejected as a list: $it", async ({ body }) => {
    const server = await start(answer(body));
    expectDisbelief(
      await failureOf(connectTo(server).listMetadata("app", "x=y", shortBudget(5_000))),
      "HTTP 200 without",
    );
  });
});

/** The limit of one response. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes that a server can send although the relay does not read them: the buffers of both ends, mainly in the kernel. */
const IN_FLIGHT_BYTES_MAX = 16 * 1024 * 1024;

describe("an endless response", () => {
  const big = Buffer.alloc(256 * 1024, "x");
  const endless: { it: string; misbehave: Misbehaviour; says: string; budgetMs?: number }[] = [
    { it: "a body", misbehave: forever(big), says: "too large", budgetMs: 30_000 },
    { it: "a body that arrives byte by byte", misbehave: forever("x", 20), says: "timeout" },
    {
      it: "headers",
      misbehave: forever("x-header: x\r\n", 0, "HTTP/1.1 200 x\r\n"),
      says: "HPE_HEADER_OVERFLOW",
      budgetMs: 30_000,
    },
    {
      it: "headers that arrive byte by byte",
      misbehave: forever("x", 20, "HTTP/1.1 200 x\r\nx-header: "),
      says: "timeout",
    },
    {
      it: "one header",
      misbehave: forever(big, 0, "HTTP/1.1 200 x\r\nx-header: "),
      says: "HPE_HEADER_OVERFLOW",
      budgetMs: 30_000,
    },
    {
      it: "informational responses",
      misbehave: forever("HTTP/1.1 102 x\r\n\r\n", 0, ""),
      says: "timeout",
    },
    {
      it: "trailers",
      misbehave: forever("x-trailer: x\r\n", 0, `${headOf(200, { "transfer-encoding": "chunked" })}0\r\n`),
      says: "HPE_HEADER_OVERFLOW",
      budgetMs: 30_000,
    },
    {
      it: "the size of a chunk",
      misbehave: forever("0", 0, headOf(200, { "transfer-encoding": "chunked" })),
      says: "timeout",
    },
    { it: "no response", misbehave: () => {}, says: "timeout" },
  ];

  it.each(endless)("makes the relay close the connection: $it", async ({ misbehave, says, budgetMs }) => {
    const server = await start(misbehave);
    const failure = await failureOf(connectTo(server).readSecret(DB, shortBudget(budgetMs)));
    expectDisbelief(failure, says);
    await server.hungUpOn();
    expect(server.requests).toHaveLength(1);
    expect(server.sentBytes()).toBeLessThan(ANSWER_BYTES_MAX + IN_FLIGHT_BYTES_MAX);
  });

  it.each([
    { it: "pages that all have the same token", next: () => "again" },
    { it: "pages that each have their own token", next: (page: number) => `page-${page}` },
  ])("is rejected as a list of Secrets: $it", async ({ next }) => {
    let page = 0;
    const server = await start((socket, request) => {
      page += 1;
      answer(table([], { continue: next(page) }))(socket, request);
    });
    const failure = await failureOf(
      connectTo(server).listMetadata("app", "x=y", { ...shortBudget(60_000), remainingMs: () => 0 }),
    );
    expectDisbelief(failure, next(1) === "again" ? "HTTP 200 without" : "too large");
    expect(page).toBeLessThanOrEqual(1_001);
  });

  it.each([
    { it: "pages that stay too large", annotation: "x".repeat(20_000) },
    { it: "pages that would take too much memory when parsed", annotation: "[".repeat(3_000) },
  ])("is rejected as a list of Secrets after smaller pages: $it", async ({ annotation }) => {
    const limits: string[] = [];
    const rows = Array.from({ length: 500 }, (_, at) =>
      row(`db-${at}`, { annotations: { text: annotation } }),
    );
    const body = JSON.stringify(table(rows));
    const server = await start((socket, request) => {
      limits.push(/limit=(\d+)/.exec(request)?.[1] ?? "");
      answer(body)(socket, request);
    });
    const failure = await failureOf(
      connectTo(server).listMetadata("app", "x=y", { ...shortBudget(60_000), remainingMs: () => 0 }),
    );
    expectDisbelief(failure, "too large");
    expect(limits).toEqual(["500", "62", "7", "1"]);
  });
});

describe("a valid response of unusual size", () => {
  it("is read with megabytes of managedFields", async () => {
    const fieldsV1 = {
      "f:data": Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`f:key-${at}`, {}])),
    };
    const managedFields = [
      { manager: "kubectl-edit", operation: "Update", fieldsType: "FieldsV1", fieldsV1 },
    ];
    const server = await start(answer(secret({}, { managedFields })));
    const live = await connectTo(server).readSecret(DB, shortBudget(5_000));
    expect(live?.managedFields[0]?.fields.size).toBe(100_000);
  });

  it("is read with managedFields of maximum depth, in bounded memory", async () => {
    const depth = 2_000;
    const name = "x".repeat(1_000);
    const fieldsV1 = `${`{"f:${name}":`.repeat(depth)}{}${"}".repeat(depth)}`;
    const body = JSON.stringify(
      secret({}, { managedFields: [{ manager: "a", operation: "Update", fieldsV1: "HERE" }] }),
    );
    const misbehave = answer(body.replace('"HERE"', fieldsV1));
    const server = await start(misbehave);
    const live = await connectTo(server).readSecret(DB, shortBudget(5_000));
    const fields = [...(live?.managedFields[0]?.fields ?? [])];
    // Read whole, its 2,000 names of 1,000 characters would make a path of 2 MB out of as many that are shorter.
    expect(fields.map((field) => field.split(".").length)).toEqual([8]);
  });

  it("is read with a thousand headers, and refused with more than 16 kB of them", async () => {
    const headers = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, "1"]));
    const many = await start(answer(secret(), { headers: headers(1_000) }));
    expect(await connectTo(many).readSecret(DB, shortBudget())).toMatchObject(DB);
    const huge = await start(answer(secret(), { headers: headers(5_000) }));
    expectDisbelief(await failureOf(connectTo(huge).readSecret(DB, shortBudget())), "HPE_HEADER_OVERFLOW");
  });

  it("is not decompressed, because the relay did not request compression", async () => {
    const right = gzipSync(JSON.stringify(secret()));
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    for (const packed of [right, bomb]) {
      const server = await start((socket) => {
        socket.write(headOf(200, { "content-encoding": "gzip", "content-length": packed.length }));
        socket.write(packed);
      });
      expectDisbelief(await failureOf(connectTo(server).readSecret(DB, shortBudget())), "HTTP 200 without");
    }
  });
});

describe("a refusal", () => {
  it.each(["1e308", "99999999999", "Infinity", "-5", "NaN", "1, 2", "0x10"])(
    "that requests a wait of %s seconds delays nothing",
    async (seconds) => {
      const server = await start(
        answer({ kind: "Status" }, { status: 429, headers: { "retry-after": seconds } }),
      );
      const failure = await failureOf(connectTo(server).readSecret(DB, shortBudget()));
      expect(failure).toMatchObject({ code: "CLUSTER_THROTTLED" });
      expect((failure as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(60_000);
      expect(server.requests).toHaveLength(1);
    },
  );

  it.each([
    { it: "causes that are not a list", details: { causes: CANARY } },
    {
      it: "very many causes",
      details: {
        causes: Array.from({ length: 50_000 }, () => ({
          reason: "FieldManagerConflict",
          field: `.data.${"x".repeat(100)}`,
        })),
      },
    },
    { it: "causes of the wrong type", details: { causes: [null, 7, { reason: { a: 1 }, field: [CANARY] }] } },
  ])("with $it gives a short error message", async ({ details }) => {
    const server = await start(answer({ kind: "Status", details }, { status: 409 }));
    const failure = await failureOf(
      connectTo(server).applySecret(
        secret(),
        { fieldManager: "secret-relay", force: false },
        shortBudget(5_000),
      ),
    );
    expect(failure).toMatchObject({ code: expect.stringMatching(/FENCE_CONFLICT|FIELD_OWNED_BY_ANOTHER/) });
    expect(String(failure).length).toBeLessThan(5_000);
    expect(inspect(failure, { maxArrayLength: null })).not.toContain(CANARY);
  });
});

describe("a connection", () => {
  it.each<{ it: string; misbehave: Misbehaviour }>([
    { it: "breaks", misbehave: (socket) => socket.destroy() },
    { it: "ends", misbehave: (socket) => socket.end() },
    { it: "uses another protocol", misbehave: (socket) => socket.end("SSH-2.0-x\r\n") },
    {
      it: "sends two lengths",
      misbehave: (socket) =>
        socket.write("HTTP/1.1 200 x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    },
    {
      it: "sends a length and chunks",
      misbehave: (socket) =>
        socket.write("HTTP/1.1 200 x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    },
    {
      it: "sends less than its length",
      misbehave: (socket) => socket.end(`${headOf(200, { "content-length": 100 })}{}`),
    },
  ])("that $it gives one of the relay's errors", async ({ misbehave }) => {
    const server = await start(misbehave);
    expectDisbelief(await failureOf(connectTo(server).readSecret(DB, shortBudget())));
  });
});
