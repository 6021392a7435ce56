import { fileURLToPath } from "node:url";
import { environmentReader } from "../../shared/configuration/read-environment.ts";
import { type RelayConfig, readRelayConfig } from "../../shared/wiring/relay-config.ts";

export type ReconcileConfig = RelayConfig & {
  /** Where shards go; without it a sweep is done in one invocation, however large. */
  readonly shardQueueUrl: string | undefined;
  readonly shardBindingsMax: number;
  /** From 0 to 1. */
  readonly deletionsShareMax: number;
  /** How long a source or a binding must have been gone before its Secret is deleted. */
  readonly deletionGraceMs: number;
};

export function parseReconcileConfig(env: NodeJS.ProcessEnv): ReconcileConfig {
  const read = environmentReader(env);
  const config: ReconcileConfig = {
    ...readRelayConfig(read, fileURLToPath(new URL("bindings.json", import.meta.url))),
    shardQueueUrl: read.text("SHARD_QUEUE_URL", "") || undefined,
    shardBindingsMax: read.integer("SHARD_BINDINGS_MAX", { min: 50, max: 5_000, otherwise: 1_000 }),
    deletionGraceMs:
      read.integer("DELETION_GRACE_MINUTES", { min: 1, max: 525_600, otherwise: 1_440 }) * 60_000,
    deletionsShareMax: read.integer("DELETIONS_SHARE_MAX_PERCENT", { min: 0, max: 100, otherwise: 10 }) / 100,
  };
  read.check();
  return config;
}
