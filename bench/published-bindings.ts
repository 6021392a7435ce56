import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Served } from "./serve-published-bindings.ts";

/** Published bindings on a sandbox in another process, whose time is therefore not counted. One bucket for each count. */
export async function servePublishedBindings(
  counts: readonly number[],
): Promise<Served & { readonly stop: () => void }> {
  const server = fork(SERVER, counts.map(String), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const served = await new Promise<Served>((resolve, reject) => {
    server.once("message", (message) => resolve(message as Served));
    server.once("exit", (code) => reject(new Error(`The server of the bindings ended with ${code}`)));
  });
  return { ...served, stop: () => server.disconnect() };
}

const SERVER = fileURLToPath(new URL("serve-published-bindings.ts", import.meta.url));
