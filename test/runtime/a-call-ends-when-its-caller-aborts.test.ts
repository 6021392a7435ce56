import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { boundedRequests } from "../../shared/runtime/bounded-requests.ts";
import { type Misbehaviour, useHostileServers } from "../hostile/hostile-server.ts";

const { start, afterwards } = useHostileServers({ tls: false });

it.each<[string, Misbehaviour]>([
  ["the server sends nothing", () => {}],
  [
    "the server switches protocols",
    (socket) => socket.write("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
  ],
  ["the response headers never end", (socket) => socket.write("HTTP/1.1 200 OK\r\nx: ")],
])("a call ends when its caller aborts, not at the request timeout, if %s", async (_, misbehave) => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const server = await start(async (socket, request) => {
    misbehave(socket, request);
    for (let turns = 0; turns < 10; turns += 1) await turn(); // lets the client observe the behaviour of the server
    resolve();
  });
  const { requestHandler } = boundedRequests();
  afterwards(() => requestHandler.destroy());
  const caller = new AbortController();
  const to = { protocol: "http:", hostname: "127.0.0.1", port: Number(new URL(server.url).port), path: "/" };
  const request = { ...to, method: "GET", query: {}, headers: {} } as Request;
  const call = requestHandler.handle(request, { abortSignal: caller.signal });
  await asked;

  caller.abort();

  await expect(call).rejects.toMatchObject({ name: "AbortError" }); // the timeout of the request would be a TimeoutError
});

type Request = Parameters<ReturnType<typeof boundedRequests>["requestHandler"]["handle"]>[0];
