import type { Rules } from "../../shared/bindings/published/rules.ts";
import { openFunctionRelay, type RuntimeOptions } from "../../shared/relay/open-function-relay.ts";
import type { Relay } from "../../shared/relay/open-relay.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { secretsManagerSource } from "../../shared/source/secrets-manager/secrets-manager-source.ts";
import type { SweepDependencies } from "../../shared/sweep/cluster-sweep.ts";
import type { SendShards, SweepSettings } from "../../shared/sweep/run-sweep.ts";
import { sendShardsTo } from "../../shared/sweep/send-shards.ts";
import { parseReconcileConfig } from "./config.ts";

/** By the rules of one generation. */
export type ReconcileDependencies = SweepDependencies &
  Pick<Relay, "log" | "measure"> & {
    readonly rules: Rules;
    readonly settings: Pick<
      SweepSettings,
      "shardBindingsMax" | "deletionsShareMax" | "deletionGraceMs" | "mayDelete"
    >;
    readonly sendShards?: SendShards;
  };

/** Opens the dependencies by the rules in force, once per invocation. */
export type OpenReconcile = (budget: TimeBudget) => Promise<ReconcileDependencies>;

export async function openReconcile(env: NodeJS.ProcessEnv, options: RuntimeOptions): Promise<OpenReconcile> {
  const config = parseReconcileConfig(env);
  const { openLatest, onAwsCall } = await openFunctionRelay(secretsManagerSource, config, options);
  const { workQueueUrl, shardBindingsMax, deletionsShareMax, deletionGraceMs } = config;
  const sendShards = workQueueUrl === undefined ? undefined : sendShardsTo(workQueueUrl, onAwsCall);
  const settings = { shardBindingsMax, deletionsShareMax, deletionGraceMs, mayDelete: true };
  const opened = new WeakMap<object, ReconcileDependencies>();
  return async (budget) => {
    const relay = await openLatest(budget);
    const deps = opened.get(relay) ?? { ...relay, settings, ...(sendShards && { sendShards }) };
    opened.set(relay, deps);
    return deps;
  };
}
