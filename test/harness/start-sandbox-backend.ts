import { type Sandbox, type SandboxOptions, startSandbox } from "../../sandbox/start-sandbox.ts";
import type { Backend } from "./backend.ts";

export type SandboxBackend = Backend & { readonly sandbox: Sandbox };

export async function startSandboxBackend(options: SandboxOptions = {}): Promise<SandboxBackend> {
  const sandbox = await startSandbox(options);
  const { aws, kubernetes, stop } = sandbox;
  return { name: "sandbox", aws, kubernetes, stop, sandbox };
}
