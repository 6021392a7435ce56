import { type RelayConfig, readRelayConfig } from "../../shared/relay/relay-config.ts";
import { environmentReader } from "../../shared/runtime/read-environment.ts";

export type ReconcileConfig = RelayConfig & {
  readonly shardBindingsMax: number;
  /** From 0 to 1. */
  readonly deletionsShareMax: number;
  /** How long a source or binding must be gone before its Secret is deleted. */
  readonly deletionGraceMs: number;
};

export function parseReconcileConfig(env: NodeJS.ProcessEnv): ReconcileConfig {
  const read = environmentReader(env);
  const config: ReconcileConfig = {
    ...readRelayConfig(read),
    shardBindingsMax: read.integer("SHARD_BINDINGS_MAX", { min: 50, max: 5_000, otherwise: 1_000 }),
    deletionGraceMs:
      read.integer("DELETION_GRACE_MINUTES", { min: 1, max: 525_600, otherwise: 1_440 }) * 60_000,
    deletionsShareMax: read.integer("DELETIONS_SHARE_MAX_PERCENT", { min: 0, max: 100, otherwise: 10 }) / 100,
  };
  read.check();
  return config;
}
