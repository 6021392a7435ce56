import { readManyWith } from "../../shared/source/read-many.ts";
import { sourceCatalog } from "../../shared/source/source-catalog.ts";
import type { SendShards, SweepSettings } from "../../shared/sweep/run-sweep.ts";
import { sendShardsTo } from "../../shared/sweep/send-shards.ts";
import type { SweepDependencies } from "../../shared/sweep/sweep-dependencies.ts";
import { type RelayParts, type Surroundings, wireRelay } from "../../shared/wiring/wire-relay.ts";
import { parseReconcileConfig } from "./config.ts";

export type ReconcileDependencies = SweepDependencies &
  Pick<RelayParts, "bindingsFor" | "log" | "measure"> & {
    readonly settings: Pick<
      SweepSettings,
      "shardBindingsMax" | "deletionsShareMax" | "deletionGraceMs" | "mayDelete"
    >;
    readonly sendShards?: SendShards;
  };

/** The real ones, made once per execution environment. */
export async function reconcileDependencies(
  env: NodeJS.ProcessEnv,
  surroundings: Surroundings,
): Promise<ReconcileDependencies> {
  const config = parseReconcileConfig(env);
  const calls = { aws: 0, kubernetes: 0, throttles: 0 };
  const count = (kind: keyof typeof calls) => () => {
    calls[kind] += 1;
  };
  const onAwsCall = count("aws");
  const relay = await wireRelay(config, surroundings, {
    onAwsCall,
    onKubernetesCall: count("kubernetes"),
    onThrottled: count("throttles"),
  });
  const { shardQueueUrl, shardBindingsMax, deletionsShareMax, deletionGraceMs, targetsAtOnce } = config;
  return {
    ...relay,
    readMany: readManyWith(relay.clientFor),
    catalog: sourceCatalog(relay.clientFor),
    targetsAtOnce,
    calls: () => ({ ...calls }),
    settings: { shardBindingsMax, deletionsShareMax, deletionGraceMs, mayDelete: true },
    ...(shardQueueUrl !== undefined && { sendShards: sendShardsTo(shardQueueUrl, onAwsCall) }),
  };
}
