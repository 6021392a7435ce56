import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";
import { text } from "node:stream/consumers";
import { LoopbackRequest } from "./loopback-request.ts";
import type { TransportRequest, TransportResponse } from "./message.ts";

/**
 * Takes a request over, or leaves it to the network by returning undefined. `send` sends it unchanged, and `closed`
 * resolves when its caller has the response or has given up.
 */
export type Carry = (
  url: URL,
) =>
  | ((
      request: TransportRequest,
      send: () => Promise<TransportResponse>,
      closed: Promise<void>,
    ) => Promise<TransportResponse>)
  | undefined;

type Given = RequestOptions & { signal?: AbortSignal };
type Callback = (response: IncomingMessage) => void;

/**
 * Routes every request of this process (relay, AWS SDK and harness) through `carry`, until the returned function is
 * called.
 */
export function interceptRequests(carry: Carry): () => void {
  const kept = { http: http.request, https: https.request };
  for (const [module, protocol] of [
    [http, "http:"],
    [https, "https:"],
  ] as const) {
    const original = module.request as (...args: unknown[]) => ClientRequest;
    const request = (...args: unknown[]): unknown => {
      const { url, options, callback } = readArguments(args, protocol);
      const carried = carry(url);
      if (carried === undefined) return Reflect.apply(original, module, args);
      const { signal, ...rest } = options;
      const exchange = (body: Buffer) => {
        const message = { method: options.method ?? "GET", url, headers: lowerCased(options.headers), body };
        return carried(message, () => sendThrough(original, url, rest, body), closed.promise);
      };
      const closed = Promise.withResolvers<void>();
      const loopback = new LoopbackRequest(exchange, signal);
      loopback.once("close", closed.resolve);
      if (callback !== undefined) loopback.once("response", callback);
      return loopback;
    };
    Object.assign(module, { request });
  }
  syncBuiltinESMExports();
  return () => {
    http.request = kept.http;
    https.request = kept.https;
    syncBuiltinESMExports();
  };
}

function readArguments(
  args: readonly unknown[],
  protocol: string,
): { url: URL; options: Given; callback: Callback | undefined } {
  const callback = args.find((arg): arg is Callback => typeof arg === "function");
  const [first, second] = args;
  if (typeof first === "string" || first instanceof URL) {
    const options = typeof second === "object" ? (second as Given) : {};
    return { url: new URL(first), options, callback };
  }
  const options = first as Given;
  const { host = "localhost", port, path = "/" } = options;
  const url = new URL(`${protocol}//${host}${port === undefined || port === null ? "" : `:${port}`}${path}`);
  return { url, options, callback };
}

function lowerCased(headers: RequestOptions["headers"]): Record<string, string> {
  const entries = Object.entries((headers ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function sendThrough(
  original: (...args: unknown[]) => ClientRequest,
  url: URL,
  options: RequestOptions,
  body: Buffer,
): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const request = original(url, options, (response: IncomingMessage) => {
      const headers = Object.entries(response.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      text(response).then(
        (received) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(headers),
            body: received,
          }),
        reject,
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}
