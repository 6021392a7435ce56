import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { boundedRequests } from "../../shared/aws-client/bounded-requests.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

it.each<[string, (socket: Socket) => unknown]>([
  ["it says nothing", () => {}],
  [
    "it has switched protocols",
    (socket) => socket.write("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
  ],
  ["its head has no end", (socket) => socket.write("HTTP/1.1 200 OK\r\nx: ")],
])("a call ends with its caller's time, and not with the request's, when %s", async (_, misbehave) => {
  const { port, asked } = await startServer(misbehave);
  const { requestHandler } = boundedRequests();
  cleanUps.push(() => requestHandler.destroy());
  const caller = new AbortController();
  const to = { protocol: "http:", hostname: "127.0.0.1", port, path: "/" };
  const request = { ...to, method: "GET", query: {}, headers: {} } as Request;
  const call = requestHandler.handle(request, { abortSignal: caller.signal });
  await asked;

  caller.abort();

  await expect(call).rejects.toMatchObject({ name: "AbortError" }); // the request's own time would be a TimeoutError
});

type Request = Parameters<ReturnType<typeof boundedRequests>["requestHandler"]["handle"]>[0];

/** `asked` is fulfilled when a request has come, and the client has had time to see what the server did about it. */
async function startServer(misbehave: (socket: Socket) => unknown) {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    cleanUps.push(() => socket.destroy());
    socket.on("error", () => {});
    socket.once("data", () => {
      misbehave(socket);
      setTimeout(resolve, 200);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}
