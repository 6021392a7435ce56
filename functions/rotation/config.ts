import { fileURLToPath } from "node:url";
import { environmentReader } from "../../shared/configuration/read-environment.ts";
import { type RelayConfig, readRelayConfig } from "../../shared/wiring/relay-config.ts";

export function parseRotationConfig(env: NodeJS.ProcessEnv): RelayConfig {
  const read = environmentReader(env);
  const config = readRelayConfig(read, fileURLToPath(new URL("bindings.json", import.meta.url)));
  read.check();
  return config;
}
