import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Starts a script of this folder in another process, whose processor time is therefore not counted. Resolves with the
 * script's first message. The script ends when it is disconnected.
 */
export async function forkServer<T extends object>(
  script: string,
  args: readonly (string | number)[],
): Promise<T & { readonly stop: () => void }> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const server = fork(file, args.map(String), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const message = await new Promise<T>((resolve, reject) => {
    server.once("message", (message) => resolve(message as T));
    server.once("exit", (code) => reject(new Error(`${script} ended with ${code}`)));
  });
  return { ...message, stop: () => server.disconnect() };
}
