import { openFunctionRelay, type RuntimeOptions } from "../../shared/relay/open-function-relay.ts";
import type { Relay } from "../../shared/relay/open-relay.ts";
import { rotationSource } from "../../shared/source/secrets-manager/rotation-source.ts";
import type { SyncDependencies } from "../../shared/sync/sync-source.ts";
import { parseRotationConfig } from "./config.ts";

export type RotationDependencies = SyncDependencies &
  Pick<Relay, "bindingsFor" | "log" | "measure" | "trigger" | "warmUp">;

export function rotationDependencies(
  env: NodeJS.ProcessEnv,
  options: RuntimeOptions,
): Promise<RotationDependencies> {
  return openFunctionRelay(rotationSource, parseRotationConfig(env), options);
}
