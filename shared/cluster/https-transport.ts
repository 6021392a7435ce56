import { Agent, type AgentOptions, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { HttpLibrary, RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { ResponseContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { from } from "@kubernetes/client-node/dist/gen/rxjsStub.js";
import { ClusterAnswerTooLarge, ClusterUnavailable, ClusterUntrusted } from "./errors.ts";

/** Where a cluster answers, and the CA that proves it. */
export type ClusterEndpoint = {
  readonly url: string;
  readonly certificateAuthorityData: string;
  /** What a kubeconfig may say besides; the endpoint of EKS needs none of it. */
  readonly tls?: {
    /** Whoever calls proves who they are by this, instead of by a bearer token. */
    readonly clientCertificate?: { readonly certificatePem: string; readonly keyPem: string };
    /** The name that the server's certificate must bear, where it is not that of the URL. */
    readonly serverName?: string;
    /** The server is proved by the authorities that Node trusts: a public proxy stands before the cluster. */
    readonly trustsPublicAuthorities?: true;
  };
};

/** The part of a response that decides what went wrong. */
export type FailedResponse = {
  readonly status: number;
  readonly retryAfterMs?: number;
  readonly body: string;
};

export type HttpsTransport = HttpLibrary & { close(): void };

export type HttpsTransportOptions = {
  readonly clusterKey: string;
  readonly endpoint: ClusterEndpoint;
  /** EKS gives callers from outside the smallest share of its API server, so connections are few. */
  readonly connectionsMax: number;
  readonly timeoutMs: number;
  /** Told of every request that is sent. */
  readonly onRequest?: () => void;
  /** Turns an answer outside 200 to 299 into one of our errors; what it returns is thrown. */
  readonly classify: (request: RequestContext, response: FailedResponse) => Error;
};

/**
 * client-node's transport over node:https, in place of its own over undici: 0.74 MB less to load at each cold start
 * (docs/adr/0003), sockets kept open between calls, no redirect ever followed, and no body of an error passed on.
 */
export function httpsTransport(options: HttpsTransportOptions): HttpsTransport {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: options.connectionsMax,
    ...tlsOf(options.endpoint),
    rejectUnauthorized: true, // or NODE_TLS_REJECT_UNAUTHORIZED=0 would send the token to anybody
  });
  let lastUsedAt = Date.now();
  // The agent stays, and with it the TLS sessions: the next handshake is a short one.
  const leaveOldConnections = (): void => {
    const now = Date.now();
    if (now - lastUsedAt > IDLE_MS_MAX) {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    }
    lastUsedAt = now;
  };
  return {
    send: (request) => {
      options.onRequest?.();
      leaveOldConnections();
      return from(send(request, agent, options));
    },
    close: () => agent.destroy(),
  };
}

function tlsOf({ certificateAuthorityData, tls = {} }: ClusterEndpoint): AgentOptions {
  const { clientCertificate, serverName, trustsPublicAuthorities = false } = tls;
  return {
    ...(!trustsPublicAuthorities && { ca: Buffer.from(certificateAuthorityData, "base64") }),
    ...(clientCertificate && { cert: clientCertificate.certificatePem, key: clientCertificate.keyPem }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

// Lambda freezes the function between invocations, and whatever sits in between may have forgotten the connection
// meanwhile; a request on such a socket hangs until its timeout. A handshake is cheaper.
const IDLE_MS_MAX = 30_000;

async function send(
  request: RequestContext,
  agent: Agent,
  options: HttpsTransportOptions,
): Promise<ResponseContext> {
  const answer = await exchange(request, agent, options);
  if (answer.status < 200 || answer.status > 299) {
    throw options.classify(request, {
      status: answer.status,
      body: answer.body,
      ...parseRetryAfter(answer.headers["retry-after"]),
    });
  }
  return new ResponseContext(answer.status, answer.headers, {
    text: async () => answer.body,
    binary: async () => Buffer.from(answer.body),
    stream: () => null,
  });
}

type Answer = { status: number; headers: Record<string, string>; body: string };

function exchange(request: RequestContext, agent: Agent, options: HttpsTransportOptions): Promise<Answer> {
  const { clusterKey, timeoutMs } = options;
  const signal = request.getSignal();
  const body = request.getBody();
  const text = typeof body === "string" ? body : undefined;
  // Node gives the body of a DELETE no length, and the API server takes it for the next request on the connection.
  const length = text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const fail = (error: Error) => reject(classifyBrokenExchange(clusterKey, error));
  const outgoing = httpsRequest(
    request.getUrl(),
    {
      agent,
      ...(signal && { signal }),
      method: request.getHttpMethod(),
      headers: { ...request.getHeaders(), ...length },
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > RESPONSE_BYTES_MAX) {
          incoming.destroy();
          reject(new ClusterAnswerTooLarge(clusterKey));
          return;
        }
        chunks.push(chunk);
      });
      incoming.on("error", fail);
      incoming.on("end", () => {
        if (!incoming.complete) return fail(new Error("incomplete"));
        const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: Object.fromEntries(headers),
          body: Buffer.concat(chunks).toString("utf8"),
        });
      });
      incoming.on("close", () => fail(new Error("closed")));
    },
  );
  outgoing.on("error", fail);
  // From when it has a connection: that others of ours are before it is no fault of the server's, and the budget ends it.
  let timer: NodeJS.Timeout | undefined;
  outgoing.once("socket", () => {
    timer = setTimeout(() => outgoing.destroy(new TimedOut()), timeoutMs);
  });
  outgoing.once("close", () => clearTimeout(timer));
  // Nothing was asked to switch protocols; Node keeps such a connection open, and says nothing more of it.
  outgoing.on("upgrade", (_answer, socket: Socket) => {
    socket.destroy();
    reject(new ClusterUnavailable(clusterKey, "HTTP 101"));
  });
  outgoing.end(text);
  return promise;
}

class TimedOut extends Error {
  override readonly name = "TimeoutError";
}

/** A Secret is at most 1 MiB and its base64 a third more; a page of 500 metadata entries stays far below this. */
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

function classifyBrokenExchange(clusterKey: string, error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (CERTIFICATE_FAULTS.has(code)) return new ClusterUntrusted(clusterKey);
  const isTimeout = error.name === "AbortError" || error.name === "TimeoutError" || code === "ABORT_ERR";
  return new ClusterUnavailable(
    clusterKey,
    isTimeout ? "timeout" : /^[A-Z_]{3,40}$/.test(code) ? code : "connection broken",
  );
}

/** Node's codes for a peer that did not prove who it is (OpenSSL's X509_V_ERR_*, and the name check). */
const CERTIFICATE_FAULTS: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "INVALID_CA",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function parseRetryAfter(header: string | undefined): { retryAfterMs?: number } {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0
    ? { retryAfterMs: Math.min(seconds, RETRY_AFTER_SECONDS_MAX) * 1_000 }
    : {};
}

/** The API server sends whole seconds, 1 to 32 (pkg/util/flowcontrol/dropped_requests_tracker.go); more is no advice. */
const RETRY_AFTER_SECONDS_MAX = 60;
