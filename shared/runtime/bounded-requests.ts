import { Readable } from "node:stream";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { HttpHandlerOptions, HttpRequest, StreamCollector } from "@smithy/types";
import { mayHaveProxy } from "./may-have-proxy.ts";

/**
 * Limits the duration and the response size of an AWS client's requests.
 *
 * By default the SDK waits for a connection forever (a function in a VPC without a route to AWS would hang), times a
 * request only until the response headers arrive, and accepts a body of any size. A normal response takes about 10 ms.
 */
export function boundedRequests(limits: Partial<RequestLimits> = {}): {
  requestHandler: NodeHttpHandler;
  streamCollector: StreamCollector;
} {
  return { requestHandler: new BoundedHandler(limits), streamCollector: collectBounded };
}

export type RequestLimits = {
  readonly connectionMs: number;
  /** The limit until the response headers, and again from there to the end of the body. */
  readonly requestMs: number;
};

const CONNECTION_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** Twenty values of 64 KiB in base64 are 1.8 MB; a page of a hundred secrets with all their tags and versions is 3 MB. */
const RESPONSE_BYTES_MAX = 8 * 1024 * 1024;

class BoundedHandler extends NodeHttpHandler {
  readonly #limits: RequestLimits;
  /** By the URL of the proxy. */
  readonly #proxied = new Map<string, NodeHttpHandler>();

  constructor({
    connectionMs = CONNECTION_TIMEOUT_MS,
    requestMs = REQUEST_TIMEOUT_MS,
  }: Partial<RequestLimits>) {
    const limits = { connectionMs, requestMs };
    super(handlerOptions(limits));
    this.#limits = limits;
  }

  override async handle(request: HttpRequest, options: HttpHandlerOptions = {}) {
    const signal = options.abortSignal as AbortSignal | undefined;
    const sent = request as Parameters<NodeHttpHandler["handle"]>[0];
    const proxied = await this.#findProxied(request);
    const pending = proxied === undefined ? super.handle(sent, options) : proxied.handle(sent, options);
    const result = await untilAborted(pending, signal);
    const { body } = result.response;
    if (body instanceof Readable) limitDuration(body, this.#limits.requestMs, signal);
    return result;
  }

  override destroy(): void {
    super.destroy();
    for (const handler of this.#proxied.values()) handler.destroy();
  }

  /** The proxy depends on the host of each request. */
  async #findProxied({ protocol, hostname, port }: HttpRequest): Promise<NodeHttpHandler | undefined> {
    if (!mayHaveProxy(process.env)) return undefined;
    const { findProxy } = await import("./find-proxy.ts");
    const proxy = findProxy(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`, process.env);
    if (proxy === undefined) return undefined;
    const known = this.#proxied.get(proxy) ?? new NodeHttpHandler(handlerOptions(this.#limits, proxy));
    this.#proxied.set(proxy, known);
    return known;
  }
}

function handlerOptions({ connectionMs, requestMs }: RequestLimits, proxy?: string) {
  const throughProxy = proxy !== undefined && { proxyEnv: { https_proxy: proxy, http_proxy: proxy } };
  return {
    connectionTimeout: connectionMs,
    requestTimeout: requestMs,
    throwOnRequestTimeout: true,
    // Otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 would accept a forged AWS endpoint.
    httpsAgent: { rejectUnauthorized: true, ...throughProxy },
    ...(throughProxy && { httpAgent: throughProxy }),
  };
}

/** After HTTP 101 the SDK's handler ignores the abort signal: the connection is closed, and no response ever comes. */
async function untilAborted<T>(pending: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return pending;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(named("AbortError"));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([pending, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function limitDuration(body: Readable, requestMs: number, signal: AbortSignal | undefined): void {
  const stop = () => body.destroy(named("TimeoutError")); // the SDK retries errors of this name
  const timer = setTimeout(stop, requestMs);
  signal?.addEventListener("abort", stop, { once: true });
  body.once("close", () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  });
}

const collectBounded: StreamCollector = async (stream: AsyncIterable<Uint8Array> & { destroy?(): void }) => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (bytes > RESPONSE_BYTES_MAX) throw named("AnswerTooLarge"); // leaving the loop ends the stream
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}
