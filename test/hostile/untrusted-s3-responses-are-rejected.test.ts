import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { readObjectWith } from "../../shared/bindings/published/read-object.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import { anIdentity } from "../cluster/factories.ts";
import { findTraces, newCanary } from "../harness/canary.ts";
import { failureOf } from "./hostile-cluster.ts";
import { answer, forever, headOf, type Misbehaviour, useHostileServers } from "./hostile-server.ts";

const { start } = useHostileServers({ tls: false });

const OBJECT = { bucket: "bindings", key: "pointer.json" };
const ETAG = '"0123456789abcdef0123456789abcdef"';
const SECRET_KEY = newCanary();
const canary = newCanary();

const xmlError = (code: string, more = "") =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${canary}</Message>${more}</Error>`;
const xml = { "content-type": "application/xml", "x-quoted": Buffer.from(canary).toString("base64") };

/** Reads from such a server, without pauses. */
async function readFrom(
  misbehave: Misbehaviour,
  { etag, budgetMs = 5_000, tls = false }: { etag?: string; budgetMs?: number; tls?: boolean } = {},
) {
  const server = await start(misbehave, { tls });
  const read = readObjectWith({
    region: "eu-west-1",
    credentials: async () => ({ ...anIdentity(), secretAccessKey: SECRET_KEY }),
    env: { AWS_ENDPOINT_URL_S3: server.url },
    wait: async () => {},
  });
  const failure = await failureOf(
    read({ ...OBJECT, ...(etag !== undefined && { etag }) }, startTimeBudget(budgetMs)),
  );
  return { failure, server };
}

function expectFailure(failure: unknown, code: string, says = ""): void {
  expect(failure).toMatchObject({ code, message: expect.stringContaining(says) });
  expect((failure as Error).cause).toBeUndefined();
  expect(findTraces(inspect(failure, { showHidden: true, depth: null }), [canary, SECRET_KEY])).toEqual([]);
}

it("accepts an object with an ETag", async () => {
  const { failure } = await readFrom(answer("{}", { headers: { etag: ETAG } }));

  expect(failure).toEqual({ answer: { kind: "object", body: Buffer.from("{}"), etag: ETAG } });
});

it("sends no more than a signed GET: the secret key is in no request", async () => {
  const { server } = await readFrom(answer("{}", { headers: { etag: ETAG } }), { etag: ETAG });

  const [request = ""] = server.requests;
  expect(request.split("\r\n")[0]).toBe("GET /bindings/pointer.json HTTP/1.1");
  expect(request).toContain(`if-none-match: ${ETAG}\r\n`);
  expect(request).toMatch(/SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date, /);
  expect(findTraces(request)).toEqual([]);
});

describe("a response without a valid object is rejected:", () => {
  it.each<{ it: string; body: string; status?: number; headers?: object; etag?: string }>([
    { it: "no ETag", body: "{}" },
    { it: "an ETag without quotes", body: "{}", headers: { etag: "abc" } },
    { it: "an ETag of a kilobyte", body: "{}", headers: { etag: `"${"x".repeat(1_024)}"` } },
    { it: "an XML error with status 200", body: xmlError("InternalError"), headers: xml },
    {
      it: "an XML error with status 200 and an ETag",
      body: xmlError("NoSuchKey"),
      headers: { ...xml, etag: ETAG },
    },
    { it: "a web page", body: `<html>${canary}</html>`, headers: { "content-type": "text/html" } },
    { it: "no content, 204", body: "", status: 204, headers: { etag: ETAG } },
    { it: "a part of the object, 206", body: "{", status: 206, headers: { etag: ETAG } },
    { it: "unchanged, although no ETag was sent", body: "", status: 304 },
    { it: "unchanged, with another ETag", body: "", status: 304, headers: { etag: '"other"' }, etag: ETAG },
  ])("$it", async ({ body, status = 200, headers = {}, etag }) => {
    const { failure, server } = await readFrom(answer(body, { status, headers: { ...headers } }), {
      ...(etag !== undefined && { etag }),
    });

    expectFailure(failure, "BINDINGS_STORE_UNREACHABLE", `HTTP ${status}`);
    expect(server.requests).toHaveLength(4);
  });

  it("a body that ends before its length", async () => {
    const { failure } = await readFrom((socket) => {
      socket.end(`${headOf(200, { etag: ETAG, "content-length": 100 })}{}`);
    });

    expectFailure(failure, "BINDINGS_STORE_UNREACHABLE");
  });

  it("another protocol", async () => {
    const { failure } = await readFrom((socket) => socket.end("220 ready\r\n"));

    expectFailure(failure, "BINDINGS_STORE_UNREACHABLE");
  });
});

describe("an object is absent only if S3 says so about the object itself:", () => {
  it("NoSuchKey", async () => {
    const { failure } = await readFrom(answer(xmlError("NoSuchKey"), { status: 404, headers: xml }));

    expect(failure).toEqual({ answer: { kind: "absent" } });
  });

  it.each([
    { it: "a 404 without a body", body: "" },
    { it: "a 404 page of a proxy", body: "<html>NoSuchKey</html>" },
    { it: "a 404 that only quotes S3's error", body: `<html>${xmlError("NoSuchKey")}</html>` },
    { it: "a 404 in JSON", body: '{"Code":"NoSuchKey"}' },
    { it: "another code", body: xmlError("NoSuchVersion"), code: "BINDINGS_STORE_REJECTED" },
    { it: "NoSuchBucket", body: xmlError("NoSuchBucket"), code: "BINDINGS_STORE_NOT_FOUND" },
    {
      it: "NoSuchKey with another status",
      body: xmlError("NoSuchKey"),
      status: 400,
      code: "BINDINGS_STORE_REJECTED",
    },
  ])("and not with $it", async ({ body, status = 404, code = "BINDINGS_STORE_UNREACHABLE" }) => {
    const { failure } = await readFrom(answer(body, { status }));

    expectFailure(failure, code);
  });
});

describe("an error of S3 is classified by its code and status, and quotes nothing:", () => {
  it.each([
    { status: 503, says: "SlowDown", code: "BINDINGS_STORE_THROTTLED", requests: 4 },
    { status: 503, says: "ServiceUnavailable", code: "BINDINGS_STORE_UNREACHABLE", requests: 4 },
    { status: 500, says: "InternalError", code: "BINDINGS_STORE_UNREACHABLE", requests: 4 },
    { status: 403, says: "RequestTimeTooSkewed", code: "BINDINGS_STORE_UNREACHABLE", requests: 4 },
    { status: 400, says: "RequestTimeout", code: "BINDINGS_STORE_UNREACHABLE", requests: 4 },
    { status: 409, says: "OperationAborted", code: "BINDINGS_STORE_UNREACHABLE", requests: 4 },
    { status: 400, says: "KMS.ThrottlingException", code: "BINDINGS_STORE_THROTTLED", requests: 4 },
    { status: 403, says: "AccessDenied", code: "BINDINGS_STORE_DENIED", requests: 1 },
    { status: 403, says: "SignatureDoesNotMatch", code: "BINDINGS_STORE_DENIED", requests: 1 },
    { status: 400, says: "ExpiredToken", code: "BINDINGS_STORE_CREDENTIALS_EXPIRED", requests: 2 },
    { status: 403, says: "InvalidAccessKeyId", code: "BINDINGS_STORE_CREDENTIALS_EXPIRED", requests: 2 },
    { status: 400, says: "KMS.DisabledException", code: "BINDINGS_STORE_REJECTED", requests: 1 },
    { status: 400, says: "AuthorizationHeaderMalformed", code: "BINDINGS_STORE_REDIRECTED", requests: 1 },
    { status: 307, says: "TemporaryRedirect", code: "BINDINGS_STORE_UNREACHABLE", requests: 4 },
  ])("$status $says", async ({ status, says, code, requests }) => {
    const { failure, server } = await readFrom(answer(xmlError(says), { status, headers: xml }));

    expectFailure(failure, code);
    expect(server.requests).toHaveLength(requests);
  });

  it("an invalid code", async () => {
    const { failure } = await readFrom(answer(xmlError(canary), { status: 400, headers: xml }));

    expectFailure(failure, "BINDINGS_STORE_UNREACHABLE", "HTTP 400");
  });

  it.each([403, 429, 502])("%i of a proxy, with a page", async (status) => {
    const { failure } = await readFrom(answer(`<p>${canary}</p>`, { status }));

    expectFailure(failure, status === 429 ? "BINDINGS_STORE_THROTTLED" : "BINDINGS_STORE_UNREACHABLE");
  });
});

/** What is kept of a response, and what may be in flight beyond that, for each of four attempts. */
const SENT_BYTES_MAX = 4 * (8 + 16) * 1024 * 1024;

describe("a response without an end", () => {
  const big = Buffer.alloc(256 * 1024, " ");
  const head = headOf(200, { etag: ETAG });
  it.each<{ it: string; misbehave: Misbehaviour; says: string; budgetMs?: number }>([
    { it: "a body", misbehave: forever(big, 0, head), says: "AnswerTooLarge", budgetMs: 30_000 },
    { it: "a body that arrives byte by byte", misbehave: forever(" ", 20, head), says: "TimeoutError" },
    {
      it: "a body of an error",
      misbehave: forever(big, 0, headOf(500, {})),
      says: "AnswerTooLarge",
      budgetMs: 30_000,
    },
    { it: "headers", misbehave: forever("x-header: x\r\n", 0, "HTTP/1.1 200 x\r\n"), says: "" },
    {
      it: "informational responses",
      misbehave: forever("HTTP/1.1 102 x\r\n\r\n", 5, ""),
      says: "AbortError",
    },
    { it: "no response", misbehave: () => {}, says: "AbortError" },
    {
      it: "an upgrade",
      misbehave: (socket) => socket.write("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
      says: "AbortError",
    },
  ])("makes the relay close the connection: $it", async ({ misbehave, says, budgetMs = 1_000 }) => {
    const { failure, server } = await readFrom(misbehave, { budgetMs });

    expectFailure(failure, "BINDINGS_STORE_UNREACHABLE", says);
    await server.hungUpOn();
    expect(server.sentBytes()).toBeLessThan(SENT_BYTES_MAX);
  });

  it("is not decompressed", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    const { failure } = await readFrom((socket) => {
      socket.write(headOf(200, { etag: ETAG, "content-encoding": "gzip", "content-length": bomb.length }));
      socket.write(bomb);
    });

    expect(failure).toMatchObject({ answer: { kind: "object" } });
    expect((failure as { answer: { body: Buffer } }).answer.body.equals(bomb)).toBe(true);
  });
});

describe("a signed request", () => {
  it.each([301, 302, 303, 307, 308])("does not follow a redirect with status %i", async (status) => {
    const elsewhere = await start(answer("{}", { headers: { etag: ETAG } }));
    const { failure } = await readFrom(answer("", { status, headers: { location: elsewhere.url } }));

    expectFailure(failure, status === 307 ? "BINDINGS_STORE_UNREACHABLE" : "BINDINGS_STORE_REDIRECTED");
    expect(elsewhere.requests).toEqual([]);
  });

  it.each(["1", "0"])(
    "is never sent to a server without a trusted certificate, with NODE_TLS_REJECT_UNAUTHORIZED=%s",
    async (setting) => {
      vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", setting);
      const { failure, server } = await readFrom(answer("{}", { headers: { etag: ETAG } }), { tls: true });

      expectFailure(failure, "BINDINGS_STORE_UNREACHABLE");
      expect(server.requests).toEqual([]);
    },
  );
});
