import { fileURLToPath } from "node:url";
import { type RelayConfig, readRelayConfig } from "../../shared/relay/relay-config.ts";
import { environmentReader } from "../../shared/runtime/read-environment.ts";

export function parseRotationConfig(env: NodeJS.ProcessEnv): RelayConfig {
  const read = environmentReader(env);
  const config = readRelayConfig(read, fileURLToPath(new URL("bindings.json", import.meta.url)));
  read.check();
  return config;
}
