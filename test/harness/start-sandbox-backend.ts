import { type Sandbox, type SandboxOptions, startSandbox } from "../../sandbox/start-sandbox.ts";
import type { Backend } from "./backend.ts";
import { sandboxClock } from "./clock.ts";

export type SandboxBackend = Backend & { readonly sandbox: Sandbox };

export async function startSandboxBackend(
  options: Omit<SandboxOptions, "now" | "wait"> = {},
): Promise<SandboxBackend> {
  const clock = sandboxClock();
  const sandbox = await startSandbox({ ...options, now: clock.now, wait: clock.advance });
  const { aws, kubernetes, stop } = sandbox;
  return { name: "sandbox", aws, kubernetes, clock, stop, sandbox };
}
