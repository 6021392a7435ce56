import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A server on loopback that passes requests on. While it is silent it accepts them, and never answers. */
export type SilentServer = {
  /** http://127.0.0.1:port */
  readonly url: string;
  isSilent: boolean;
  /** How many requests got no answer. */
  readonly unanswered: number;
  stop(): Promise<void>;
};

export async function startSilentServer(onwardTo: string): Promise<SilentServer> {
  const { port } = new URL(onwardTo);
  const sockets = new Set<Socket>();
  const state = { isSilent: false, unanswered: 0 };
  const server = createServer((incoming, outgoing) => {
    if (state.isSilent) {
      state.unanswered += 1;
      return;
    }
    const { method = "GET", headers, url: path = "" } = incoming;
    const onward = request({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    url,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  });
}
