import type { SyncDependencies } from "../../shared/sync/sync-source.ts";
import { type RelayParts, type Surroundings, wireRelay } from "../../shared/wiring/wire-relay.ts";
import { parseRotationConfig } from "./config.ts";

export type RotationDependencies = SyncDependencies &
  Pick<RelayParts, "bindingsFor" | "log" | "measure" | "trigger" | "warmUp">;

/** The real ones, made once per execution environment. */
export function rotationDependencies(
  env: NodeJS.ProcessEnv,
  surroundings: Surroundings,
): Promise<RotationDependencies> {
  return wireRelay(parseRotationConfig(env), surroundings);
}
