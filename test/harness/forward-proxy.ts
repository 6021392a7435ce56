import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export type ForwardProxy = {
  /** http://127.0.0.1:port */
  readonly url: string;
  /** Each request that it got: `CONNECT host:port` or `POST http://host:port/`. */
  readonly requests: string[];
  /** The Proxy-Authorization of each request. */
  readonly authorizations: (string | undefined)[];
  stop(): Promise<void>;
};

/**
 * A company's proxy on loopback: tunnels by CONNECT, and forwards plain HTTP. It finds every host on this machine. With
 * `refuses` it answers 403 to all.
 */
export async function startForwardProxy({ refuses = false } = {}): Promise<ForwardProxy> {
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    authorizations.push(incoming.headers["proxy-authorization"]);
    if (refuses) return void outgoing.writeHead(403).end();
    const { method = "GET", headers, url = "" } = incoming;
    const { port, pathname, search } = new URL(url);
    const path = pathname + search;
    const onward = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, socket: Socket, head: Buffer) => {
    requests.push(`CONNECT ${incoming.url}`);
    authorizations.push(incoming.headers["proxy-authorization"]);
    socket.on("error", () => {});
    if (refuses) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const { port } = new URL(`http://${incoming.url}`);
    const onward = connect(Number(port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    sockets.add(onward);
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    authorizations,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
