import { openFunctionRelay, type RuntimeOptions } from "../../shared/relay/open-function-relay.ts";
import type { Relay } from "../../shared/relay/open-relay.ts";
import { secretsManagerSource } from "../../shared/source/secrets-manager/secrets-manager-source.ts";
import type { SweepDependencies } from "../../shared/sweep/cluster-sweep.ts";
import type { SendShards, SweepSettings } from "../../shared/sweep/run-sweep.ts";
import { sendShardsTo } from "../../shared/sweep/send-shards.ts";
import { parseReconcileConfig } from "./config.ts";

export type ReconcileDependencies = SweepDependencies &
  Pick<Relay, "bindingsFor" | "log" | "measure"> & {
    readonly settings: Pick<
      SweepSettings,
      "shardBindingsMax" | "deletionsShareMax" | "deletionGraceMs" | "mayDelete"
    >;
    readonly sendShards?: SendShards;
  };

export async function reconcileDependencies(
  env: NodeJS.ProcessEnv,
  options: RuntimeOptions,
): Promise<ReconcileDependencies> {
  const config = parseReconcileConfig(env);
  const { onAwsCall, ...relay } = await openFunctionRelay(secretsManagerSource, config, options);
  const { shardQueueUrl, shardBindingsMax, deletionsShareMax, deletionGraceMs } = config;
  return {
    ...relay,
    settings: { shardBindingsMax, deletionsShareMax, deletionGraceMs, mayDelete: true },
    ...(shardQueueUrl !== undefined && { sendShards: sendShardsTo(shardQueueUrl, onAwsCall) }),
  };
}
