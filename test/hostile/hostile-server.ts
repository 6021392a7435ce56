import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, vi } from "vitest";
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from "../../sandbox/tls/certificate-authority.ts";

/** Does what it likes with a connection once a whole request has come. */
export type Misbehaviour = (socket: Socket, request: string) => void;

export type HostileServer = {
  readonly url: string;
  readonly certificateAuthorityData: string;
  /** What was sent to it, as text, one a request. */
  readonly requests: string[];
  /** Bytes that it could get rid of. */
  sentBytes(): number;
  /** When the client has closed every connection that it made; it never does when the client keeps one. */
  hungUpOn(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts servers for the tests of a file, and takes away after each what it started, and what it set in the environment. */
export function useHostileServers(defaults: ServerOptions = {}) {
  const cleanUps: (() => unknown)[] = [];
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });
  return {
    start: async (misbehave: Misbehaviour, options: ServerOptions = {}): Promise<HostileServer> => {
      const server = await startHostileServer(misbehave, { ...defaults, ...options });
      cleanUps.push(server.stop);
      return server;
    },
    /** Runs after the test. */
    afterwards: (cleanUp: () => unknown): void => void cleanUps.push(cleanUp),
  };
}

/** A server that speaks as much HTTP as the test wants, over TLS with a CA of its own or in the clear. */
async function startHostileServer(
  misbehave: Misbehaviour,
  { tls = true, hosts = ["127.0.0.1"], authority = createCertificateAuthority() }: ServerOptions = {},
): Promise<HostileServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const idle = new EventEmitter();
  let sent = 0;
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {}); // the client may hang up at any time
    socket.on("close", () => {
      sent += socket.bytesWritten;
      sockets.delete(socket);
      if (sockets.size === 0) idle.emit("idle");
    });
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      for (let request = takeRequest(received); request !== undefined; request = takeRequest(received)) {
        received = received.slice(request.length);
        requests.push(request);
        misbehave(socket, request);
      }
    });
  };
  const { certificatePem: cert, keyPem: key } = authority.issueServerCertificate(hosts);
  const server = tls ? createTlsServer({ cert, key }, accept) : createServer(accept);
  server.on("tlsClientError", () => {}); // a client that does not trust us hangs up
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http${tls ? "s" : ""}://127.0.0.1:${port}`,
    certificateAuthorityData: authority.certificateAuthorityData,
    requests,
    sentBytes: () => sent + [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
    hungUpOn: async () => {
      if (sockets.size > 0) await once(idle, "idle");
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

export type ServerOptions = {
  readonly tls?: boolean;
  readonly hosts?: readonly string[];
  readonly authority?: CertificateAuthority;
};

/** An ordinary answer, with whatever in it. */
export function answer(body: unknown, { status = 200, headers = {} }: AnswerOptions = {}): Misbehaviour {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return (socket) =>
    socket.write(headOf(status, { ...headers, "content-length": Buffer.byteLength(text) }) + text);
}

export type AnswerOptions = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
};

export function headOf(status: number, headers: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries({ "content-type": "application/json", ...headers });
  return `HTTP/1.1 ${status} x\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** One piece after the other, for as long as the client listens. */
export function forever(piece: string | Buffer, everyMs = 0, head = headOf(200, {})): Misbehaviour {
  return (socket) => {
    socket.write(head);
    const next = (): void => {
      if (socket.destroyed) return;
      socket.write(piece, () => (everyMs > 0 ? setTimeout(next, everyMs).unref() : setImmediate(next)));
    };
    next();
  };
}

/** The first whole request in a text: head, and a body of the length that it says. */
function takeRequest(text: string): string | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
  const whole = end + 4 + length;
  return text.length < whole ? undefined : text.slice(0, whole);
}
