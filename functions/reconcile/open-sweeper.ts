import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import type { Sweeper } from "../../shared/sweep/run-sweep.ts";
import type { ReconcileDependencies } from "./dependencies.ts";

/** Sweeps all bindings, or those of `changed`. */
export async function openSweeper(
  deps: ReconcileDependencies,
  self: AwsLocation,
  budget: TimeBudget,
  changed?: BindingIndex,
): Promise<Sweeper> {
  const { rules, settings } = deps;
  const { generation } = rules;
  const readAll = () => rules.all(self, budget);
  return {
    ...deps,
    ...settings,
    ...(changed === undefined ? { index: await readAll() } : { index: changed, readAll }),
    ...(generation !== undefined && { generation }),
    self,
    budget,
    mayDelete: settings.mayDelete && generation !== 0, // before the first publication, every Secret would be an orphan
  };
}
