import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Answer } from "./protocol.ts";
import type { SignedRequest } from "./sigv4.ts";

export type Tls = { readonly key: string; readonly cert: string };

/** Undefined cuts the connection instead of answering. */
export type Respond = (request: SignedRequest) => Promise<Answer | undefined>;

export type Served = { readonly endpoint: string; stop(): Promise<void> };

/** Listens on any free port of the loopback; the Date header follows the given clock, since SDKs set theirs by it. */
export async function serve(respond: Respond, tls: Tls | undefined, now: () => number): Promise<Served> {
  const listener: RequestListener = (incoming, outgoing) => {
    answer(respond, incoming, outgoing, now).catch((error: unknown) => outgoing.destroy(error as Error));
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener);
  server.keepAliveTimeout = 60_000; // a client sees a closed idle connection as a reset
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  respond: Respond,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  now: () => number,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const response = await respond({
    method: incoming.method ?? "GET",
    target: incoming.url ?? "/",
    headers: incoming.headers as Record<string, string | undefined>,
    body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
  });
  if (response === undefined) {
    incoming.socket.destroy();
    return;
  }
  outgoing.writeHead(response.status, {
    ...response.headers,
    date: new Date(now()).toUTCString(),
    ...(response.status !== 304 && { "content-length": Buffer.byteLength(response.body) }),
  });
  outgoing.end(response.body);
}
