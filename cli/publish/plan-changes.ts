import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import { rulesOfFile } from "../../shared/bindings/published/rules.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { Cli } from "../cli.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { openSessionWith } from "../live/open-session.ts";
import type { ClusterOptions } from "../live/options.ts";
import { selectBindings } from "../live/select-bindings.ts";
import { assessTargets } from "../targets/assess-targets.ts";
import { byName } from "../targets/rows.ts";

/** What the sweep after the publication does with the Secrets of these bindings. */
export async function planChanges(
  cli: Cli,
  options: ClusterOptions,
  concerned: CompiledBindings,
  aws: AwsSession,
): Promise<readonly TargetRow[]> {
  if (concerned.bindings.length === 0) return [];
  const { rules } = rulesOfFile(concerned);
  const session = await openSessionWith(cli, options, { compiled: concerned, rules }, aws);
  const groups = selectBindings(session.index, {});
  const { targets } = await assessTargets(session, { groups }, startTimeBudget(PLAN_MS_MAX));
  return targets.toSorted(byName);
}

const PLAN_MS_MAX = 300_000;
