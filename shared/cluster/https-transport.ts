import { Agent, type AgentOptions, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { HttpLibrary, RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { ResponseContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { from } from "@kubernetes/client-node/dist/gen/rxjsStub.js";
import { mayHaveProxy } from "../runtime/may-have-proxy.ts";
import { ClusterAnswerTooLarge, ClusterUnavailable, ClusterUntrusted } from "./errors.ts";

/** The URL of an API server, and the CA that signed its certificate. */
export type ClusterEndpoint = {
  readonly url: string;
  readonly certificateAuthorityData: string;
  /** The proxy of this cluster, in place of HTTPS_PROXY. */
  readonly proxyUrl?: string;
  /** Sent with each request: a password, or the user to impersonate. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Further settings of a kubeconfig; an EKS endpoint needs none of them. */
  readonly tls?: {
    /** Authenticates the client in place of a bearer token. */
    readonly clientCertificate?: { readonly certificatePem: string; readonly keyPem: string };
    /** The expected name in the server's certificate, when it differs from the URL. */
    readonly serverName?: string;
    /** Trust the CAs that Node trusts: there is a public proxy in front of the cluster. */
    readonly trustsPublicAuthorities?: true;
  };
};

export type FailedResponse = {
  readonly status: number;
  readonly retryAfterMs?: number;
  readonly body: string;
};

export type HttpsTransport = HttpLibrary & { close(): void };

export type HttpsTransportOptions = {
  readonly clusterKey: string;
  readonly endpoint: ClusterEndpoint;
  /** EKS gives clients outside the cluster the smallest share of its API server, so this is small. */
  readonly connectionsMax: number;
  readonly timeoutMs: number;
  /** Called for every request. */
  readonly onRequest?: () => void;
  /** Returns the error to throw for a response outside 200 to 299. */
  readonly classify: (request: RequestContext, response: FailedResponse) => Error;
};

/**
 * client-node's transport over node:https, in place of its own over undici: 0.74 MB less to load at each cold start
 * (docs/adr/0003), sockets stay open between calls, redirects are never followed, and error bodies are dropped.
 */
export function httpsTransport(options: HttpsTransportOptions): HttpsTransport {
  const { endpoint, connectionsMax } = options;
  const newAgent = (proxy?: string) =>
    new Agent({
      keepAlive: true,
      maxSockets: connectionsMax,
      ...tlsOf(endpoint),
      rejectUnauthorized: true, // overrides NODE_TLS_REJECT_UNAUTHORIZED=0, which would send the token to any server
      ...(proxy !== undefined && { proxyEnv: { https_proxy: proxy } }),
    });
  let agent = newAgent();
  let isProxied = false;
  // Most functions have no proxy, and load nothing for it.
  let usingProxy: Promise<void> | undefined;
  const useProxy = async (): Promise<void> => {
    const { findProxy, parseProxyUrl } = await import("../runtime/find-proxy.ts");
    const proxy =
      endpoint.proxyUrl === undefined
        ? findProxy(endpoint.url, process.env)
        : parseProxyUrl(endpoint.proxyUrl, "proxy-url of the kubeconfig");
    if (proxy === undefined) return;
    agent = newAgent(proxy);
    isProxied = true;
  };
  const sendByAgent = async (request: RequestContext): Promise<ResponseContext> => {
    if (endpoint.proxyUrl !== undefined || mayHaveProxy(process.env)) {
      usingProxy ??= useProxy();
      await usingProxy;
    }
    return send(request, { ...options, agent, isProxied });
  };
  let lastUsedAt = Date.now();
  // The agent keeps its TLS sessions, so that the next handshake is short.
  const closeIdleConnections = (): void => {
    const now = Date.now();
    if (now - lastUsedAt > IDLE_MS_MAX) {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    }
    lastUsedAt = now;
  };
  return {
    send: (request) => {
      options.onRequest?.();
      closeIdleConnections();
      return from(sendByAgent(request));
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

// While Lambda freezes the function, a network device may drop the connection, and a request on such a socket hangs
// until its timeout. A new handshake is cheaper.
const IDLE_MS_MAX = 30_000;

type SendOptions = HttpsTransportOptions & { readonly agent: Agent; readonly isProxied: boolean };

async function send(request: RequestContext, options: SendOptions): Promise<ResponseContext> {
  const { status, headers, body } = await exchange(request, options);
  if (status < 200 || status > 299) {
    throw options.classify(request, { status, body, ...parseRetryAfter(headers["retry-after"]) });
  }
  return new ResponseContext(status, headers, {
    text: async () => body,
    binary: async () => Buffer.from(body),
    stream: () => null,
  });
}

type Response = { status: number; headers: Record<string, string>; body: string };

function exchange(request: RequestContext, options: SendOptions): Promise<Response> {
  const { clusterKey, timeoutMs, agent } = options;
  const signal = request.getSignal();
  const body = request.getBody();
  const text = typeof body === "string" ? body : undefined;
  // Node sends no Content-Length with a DELETE, and the API server would read its body as the next request.
  const length = text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const fail = (error: Error) => reject(classifyBrokenExchange(options, error));
  const outgoing = httpsRequest(
    request.getUrl(),
    {
      agent,
      ...(signal && { signal }),
      method: request.getHttpMethod(),
      headers: { ...request.getHeaders(), ...options.endpoint.headers, ...length },
    },
    (incoming) => {
      const status = incoming.statusCode ?? 0;
      const respond = (body: string): void => {
        const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
        resolve({ status, headers: Object.fromEntries(headers), body });
      };
      // The status of a failure says enough.
      const refuseTooLarge = () =>
        status < 300 ? reject(new ClusterAnswerTooLarge(clusterKey)) : respond("");
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > RESPONSE_BYTES_MAX) {
          incoming.destroy();
          refuseTooLarge();
          return;
        }
        chunks.push(chunk);
      });
      incoming.on("error", fail);
      incoming.on("end", () => {
        if (!incoming.complete) return fail(new Error("incomplete"));
        const body = Buffer.concat(chunks);
        if (isTooLargeParsed(body)) refuseTooLarge();
        else respond(body.toString("utf8"));
      });
      incoming.on("close", () => fail(new Error("closed")));
    },
  );
  outgoing.on("error", fail);
  // Starts with the connection: the server does not cause the wait in the queue before, and the time budget limits it.
  let timer: NodeJS.Timeout | undefined;
  outgoing.once("socket", () => {
    timer = setTimeout(() => outgoing.destroy(new TimedOut()), timeoutMs);
  });
  outgoing.once("close", () => clearTimeout(timer));
  // An unrequested protocol switch: Node would keep the connection open and emit no further event.
  outgoing.on("upgrade", (_response, socket: Socket) => {
    socket.destroy();
    reject(new ClusterUnavailable(clusterKey, "HTTP 101"));
  });
  outgoing.end(text);
  return promise;
}

class TimedOut extends Error {
  override readonly name = "TimeoutError";
}

/**
 * etcd takes objects of at most 1.5 MiB, and a Secret's base64 adds a third. A list that is larger comes in smaller pages
 * (list-pages.ts). Eight requests to a cluster at once stay within 100 MB.
 */
const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Whether the parsed JSON may take much more memory than its text: an empty array has two bytes, and V8 needs about 100
 * for it. Any client with permission to write an object chooses how its managedFields nest.
 */
function isTooLargeParsed(json: Buffer): boolean {
  if (json.length <= SMALL_BYTES_MAX) return false;
  let openings = 0;
  // By index: for 1.3 MB, the iterator of a Buffer takes 30 ms and this loop 4 ms.
  for (let at = 0; at < json.length; at += 1) {
    if (json[at] === OBJECT_OPENING || json[at] === LIST_OPENING) openings += 1;
  }
  return openings > OPENINGS_MAX;
}

const [OBJECT_OPENING, LIST_OPENING] = Buffer.from("{[");
/** At most 100 MB parsed, and it is not worth counting. */
const SMALL_BYTES_MAX = 1024 * 1024;
/** 25 MB. A page of 500 Secrets has about 25,000. */
const OPENINGS_MAX = 250_000;

function classifyBrokenExchange({ clusterKey, isProxied }: SendOptions, error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (CERTIFICATE_FAULTS.has(code)) return new ClusterUntrusted(clusterKey);
  const isTimeout = error.name === "AbortError" || error.name === "TimeoutError" || code === "ABORT_ERR";
  const at = isTimeout ? "timeout" : /^[A-Z_]{3,40}$/.test(code) ? code : "connection broken";
  return new ClusterUnavailable(clusterKey, isProxied ? `${at}, through a proxy` : at);
}

/** Node's codes for a certificate that fails verification (OpenSSL's X509_V_ERR_*, and the name check). */
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

/** The API server sends 1 to 32 (pkg/util/flowcontrol/dropped_requests_tracker.go). Larger values are capped. */
const RETRY_AFTER_SECONDS_MAX = 60;
