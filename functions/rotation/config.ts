import { type RelayConfig, readRelayConfig } from "../../shared/relay/relay-config.ts";
import { environmentReader } from "../../shared/runtime/read-environment.ts";

export function parseRotationConfig(env: NodeJS.ProcessEnv): RelayConfig {
  const read = environmentReader(env);
  const config = readRelayConfig(read);
  read.check();
  return config;
}
