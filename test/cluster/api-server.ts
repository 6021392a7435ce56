import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import type { ClusterEndpoint } from "../../shared/cluster/https-transport.ts";

export type ApiServer = {
  readonly endpoint: ClusterEndpoint;
  /** Every request whose head arrived, in order. */
  readonly requests: { method: string; url: string; authorization: string; body: string }[];
  /** The number of opened sockets, of resumed TLS sessions, and of sockets that are still open. */
  readonly sockets: { opened: number; resumed: number; open: number };
  /** Drops all TLS sessions, like a restart. */
  forgetSessions(): void;
  stop(): Promise<void>;
};

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A stand-in for an API server, with its own CA and the responses of the test. */
export async function startApiServer(
  answer: Answer,
  hosts: readonly string[] = ["127.0.0.1"],
): Promise<ApiServer> {
  const authority = createCertificateAuthority();
  const { certificatePem, keyPem } = authority.issueServerCertificate(hosts);
  const requests: ApiServer["requests"] = [];
  const sockets = { opened: 0, resumed: 0, open: 0 };
  const server = createServer(
    { cert: certificatePem, key: keyPem, keepAliveTimeout: 0 },
    (request, response) => {
      const seen = {
        method: request.method ?? "",
        url: request.url ?? "",
        authorization: request.headers.authorization ?? "",
        body: "",
      };
      requests.push(seen);
      request.on("data", (chunk) => {
        seen.body += chunk;
      });
      request.on("end", () => answer(request, response, seen.body));
    },
  );
  server.on("connection", (socket) => {
    sockets.opened += 1;
    sockets.open += 1;
    socket.on("close", () => {
      sockets.open -= 1;
    });
  });
  server.on("secureConnection", (socket) => {
    if (socket.isSessionReused()) sockets.resumed += 1;
  });
  server.on("tlsClientError", () => {}); // a client that does not trust the certificate closes the connection
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: {
      url: `https://127.0.0.1:${port}`,
      certificateAuthorityData: authority.certificateAuthorityData,
    },
    requests,
    sockets,
    forgetSessions: () => server.setTicketKeys(randomBytes(48)),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export function answerJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

export const statusBody = (code: number, reason = "") => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
});

export const secretBody = (metadata: object = {}) => ({
  kind: "Secret",
  apiVersion: "v1",
  metadata: { name: "db", namespace: "app", uid: "uid-1", resourceVersion: "7", ...metadata },
  type: "Opaque",
  data: { password: Buffer.from("hunter2").toString("base64") },
});
