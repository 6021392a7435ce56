import { openFunctionRelay, type RuntimeOptions } from "../../shared/relay/open-function-relay.ts";
import type { Relay } from "../../shared/relay/open-relay.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { rotationSource } from "../../shared/source/secrets-manager/rotation-source.ts";
import type { SyncDependencies } from "../../shared/sync/sync-source.ts";
import { parseRotationConfig } from "./config.ts";

/** By the rules of one generation. */
export type RotationDependencies = SyncDependencies & Pick<Relay, "rules" | "log" | "measure" | "trigger">;

export type OpenRotation = {
  /** Opens the dependencies by the last known rules; the fence finds out whether they are still in force. */
  readonly open: (budget: TimeBudget) => Promise<RotationDependencies>;
  readonly now: () => number;
};

export async function openRotation(
  env: NodeJS.ProcessEnv,
  options: RuntimeOptions,
): Promise<OpenRotation & { readonly warmUp: () => Promise<void> }> {
  return openFunctionRelay(rotationSource, parseRotationConfig(env), options);
}
