// A network between the relay and its servers: a TCP proxy in its own process. The first argument is the time of a round
// trip in ms, the others are ports of the loopback. It sends its parent process its own port for each, and ends with it.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** By the port of the server, the port of the proxy. */
export type ServedNetwork = { readonly ports: Readonly<Record<string, number>> };

const [roundTripMs, ...targets] = process.argv.slice(2).map(Number);
const ports = await Promise.all(targets.map(async (port) => [port, await proxy(port)] as const));
process.send?.({ ports: Object.fromEntries(ports) } satisfies ServedNetwork);
process.once("disconnect", () => process.exit());

async function proxy(port: number): Promise<number> {
  const server = createServer((client) => {
    const target = connect(port, "127.0.0.1");
    delay(client, target);
    delay(target, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** What one side sends or does reaches the other side after half of the round trip; timers of one duration keep their order. */
function delay(from: Socket, to: Socket): void {
  const later = (run: () => void) => setTimeout(run, (roundTripMs ?? 0) / 2);
  from.setNoDelay(true);
  from.on("data", (chunk) => later(() => to.write(chunk)));
  from.on("error", () => {}); // followed by close
  from.on("close", () => later(() => to.destroy()));
}
