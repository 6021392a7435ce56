import { inspect } from "node:util";
import { HttpMethod, RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import { type FailedResponse, httpsTransport } from "../../shared/cluster/https-transport.ts";
import { type Answer, type ApiServer, answerJson, startApiServer } from "./api-server.ts";
import { CANARY } from "./factories.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

class Refused extends Error {
  readonly response: FailedResponse;
  constructor(response: FailedResponse) {
    super("refused");
    this.response = response;
  }
}

type Setup = {
  hosts?: string[];
  certificateAuthorityData?: string;
  timeoutMs?: number;
  connectionsMax?: number;
};

async function prepare(answer: Answer, setup: Setup = {}) {
  const server = await startApiServer(answer, setup.hosts);
  cleanUps.push(server.stop);
  const { certificateAuthorityData = server.endpoint.certificateAuthorityData } = setup;
  const transport = httpsTransport({
    clusterKey: "main",
    endpoint: { url: server.endpoint.url, certificateAuthorityData },
    connectionsMax: setup.connectionsMax ?? 4,
    timeoutMs: setup.timeoutMs ?? 10_000,
    classify: (_request, response) => new Refused(response),
  });
  cleanUps.push(transport.close);
  return { server, send: (signal?: AbortSignal) => sendTo(server, transport, signal), transport };
}

async function sendTo(server: ApiServer, transport: ReturnType<typeof httpsTransport>, signal?: AbortSignal) {
  const request = new RequestContext(`${server.endpoint.url}/api/v1/x`, HttpMethod.GET);
  request.setHeaderParam("Authorization", `Bearer ${CANARY}`);
  if (signal !== undefined) request.setSignal(signal);
  const response = await transport.send(request).toPromise();
  return { status: response.httpStatusCode, body: await response.body.text() };
}

const failureOf = (sent: Promise<unknown>) =>
  sent.then(
    () => "no failure",
    (error: unknown) => error,
  );

describe("a server that is not the cluster", () => {
  const strangers: { it: string; setup: Setup }[] = [
    {
      it: "with a certificate of another CA",
      setup: { certificateAuthorityData: createCertificateAuthority().certificateAuthorityData },
    },
    { it: "with a certificate for another host", setup: { hosts: ["kubernetes.example"] } },
    {
      it: "where the pinned CA is not a certificate",
      setup: { certificateAuthorityData: "bm90IGEgY2VydA==" },
    },
    { it: "where the pinned CA is empty", setup: { certificateAuthorityData: "" } },
  ];

  it.each(strangers)("$it is not trusted and gets no request", async ({ setup }) => {
    const { server, send } = await prepare((_, response) => answerJson(response, 200, {}), setup);

    const failure = await failureOf(send());

    expect(failure).toMatchObject({ code: "CLUSTER_UNTRUSTED" });
    expect(server.requests).toEqual([]);
  });

  it("is not trusted even when the environment disables verification", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const { server, send } = await prepare(
      (_, response) => answerJson(response, 200, {}),
      strangers[0]?.setup,
    );

    expect(await failureOf(send())).toMatchObject({ code: "CLUSTER_UNTRUSTED" });
    expect(server.requests).toEqual([]);
  });
});

describe("a request that fails", () => {
  const breaks: { it: string; answer: Answer; at: string }[] = [
    {
      it: "because the connection is reset before a response",
      answer: (request) => request.socket.destroy(),
      at: "ECONNRESET",
    },
    {
      it: "in the middle of a body of known length",
      answer: (request, response) => {
        response.writeHead(200, { "content-length": 1_000 });
        response.write(CANARY, () => request.socket.destroy());
      },
      at: "ECONNRESET",
    },
    {
      it: "in the middle of a chunked body",
      answer: (request, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write(CANARY, () => request.socket.end());
      },
      at: "ECONNRESET",
    },
    {
      it: "because the response is not HTTP",
      answer: (request) => request.socket.end(`${CANARY}\r\n\r\n`),
      at: "connection broken|HPE_[A-Z_]+",
    },
    {
      it: "because the body does not end",
      answer: (_, response) => {
        const piece = Buffer.alloc(1024 * 1024, "x");
        const more = () => response.destroyed || response.write(piece, more);
        response.writeHead(200);
        more();
      },
      at: "answer too large",
    },
  ];

  it.each(breaks)("$it is unavailable", async ({ answer, at }) => {
    const { send } = await prepare(answer);

    const failure = await failureOf(send());

    expect(failure).toMatchObject({ code: "CLUSTER_UNAVAILABLE", retryable: true, isConnectionFault: true });
    expect(String(failure)).toMatch(new RegExp(`\\((${at})\\)`));
    expect(inspect(failure, { showHidden: true, depth: null })).not.toContain(CANARY);
  });

  it("because no server listens is unavailable", async () => {
    const { server, send } = await prepare(() => {});
    await server.stop();
    cleanUps.length = 0;
    expect(String(await failureOf(send()))).toContain("ECONNREFUSED");
  });

  it("because no response arrives in time is a timeout", async () => {
    const { send } = await prepare(() => {}, { timeoutMs: 20 });
    expect(await failureOf(send())).toMatchObject({
      code: "CLUSTER_UNAVAILABLE",
      message: expect.stringContaining("timeout"),
    });
  });

  it("does not time out in the queue: its timeout starts with its connection", async () => {
    const { send } = await prepare((_, response) => setTimeout(() => answerJson(response, 200, {}), 150), {
      timeoutMs: 1_000,
      connectionsMax: 1,
    });
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await send()).status));
    expect(statuses).toEqual(statuses.map(() => 200));
  });

  it("is aborted at the end of the caller's time budget, even in the middle of a body", async () => {
    const budget = new AbortController();
    const answer: Answer = (_, response) => {
      response.writeHead(200);
      response.write("{", () => budget.abort());
    };
    const { send } = await prepare(answer, { timeoutMs: 3_600_000 }); // only the budget ends it
    expect(await failureOf(send(budget.signal))).toMatchObject({
      code: "CLUSTER_UNAVAILABLE",
      message: expect.stringContaining("timeout"),
    });
  });

  it("is not sent when the time budget has run out", async () => {
    const { server, send } = await prepare((_, response) => answerJson(response, 200, {}));
    expect(await failureOf(send(AbortSignal.abort()))).toMatchObject({ code: "CLUSTER_UNAVAILABLE" });
    expect(server.requests).toEqual([]);
  });
});

describe("a complete response", () => {
  it("is returned whole, with its status", async () => {
    const { send } = await prepare((_, response) => answerJson(response, 200, { text: "pässword €" }));
    expect(await send()).toEqual({ status: 200, body: '{"text":"pässword €"}' });
  });

  it("is not followed when it is a redirect, so the token is not sent elsewhere", async () => {
    const elsewhere = await startApiServer((_, response) => answerJson(response, 200, {}));
    cleanUps.push(elsewhere.stop);
    const { server, send } = await prepare((_, response) => {
      response.writeHead(307, { location: `${elsewhere.endpoint.url}/api/v1/x` }).end();
    });

    const failure = await failureOf(send());

    expect(failure).toMatchObject({ response: { status: 307 } });
    expect(server.requests).toHaveLength(1);
    expect(elsewhere.requests).toEqual([]);
  });

  it.each([
    { header: "7", want: 7_000 },
    { header: "0", want: 0 },
    { header: "Fri, 20 Nov 2026 09:15:42 GMT", want: undefined },
    { header: "-1", want: undefined },
    { header: undefined, want: undefined },
  ])("reports its Retry-After $header as $want ms", async ({ header, want }) => {
    const { send } = await prepare((_, response) => {
      response.writeHead(429, header === undefined ? {} : { "retry-after": header }).end("slow down");
    });
    const failure = await failureOf(send());
    expect(failure).toMatchObject({ response: { status: 429, body: "slow down" } });
    expect((failure as Refused).response.retryAfterMs).toBe(want);
  });
});

describe("connections to a cluster", () => {
  it("are kept for the next call, up to the limit", async () => {
    const { server, send } = await prepare((_, response) => answerJson(response, 200, {}), {
      connectionsMax: 2,
    });

    await Promise.all(Array.from({ length: 10 }, () => send()));
    await send();

    expect(server.requests).toHaveLength(11);
    expect(server.sockets.opened).toBeLessThanOrEqual(2);
  });

  it("are closed after half a minute without use, and replaced", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { server, send } = await prepare((_, response) => answerJson(response, 200, {}));
    await send();

    vi.setSystemTime(Date.now() + 30_001);
    await send();

    expect(server.sockets.opened).toBe(2);
    await vi.waitFor(() => expect(server.sockets.open).toBe(1));
  });

  it("resume the previous TLS session, and verify the certificate when the server has none", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { server, send } = await prepare((_, response) => answerJson(response, 200, {}));
    await send();
    vi.setSystemTime(Date.now() + 30_001);
    await send();
    expect(server.sockets).toMatchObject({ opened: 2, resumed: 1 });

    server.forgetSessions();
    vi.setSystemTime(Date.now() + 30_001);
    await send();

    expect(server.sockets).toMatchObject({ opened: 3, resumed: 1 });
  });
});
