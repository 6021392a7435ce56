import type { Binding } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import type { SweepMode, SweepReport } from "../../shared/sweep/report.ts";
import { runSweep, type SweepSettings } from "../../shared/sweep/run-sweep.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";

export type WhichTargets = {
  readonly mode?: SweepMode;
  /** Only these bindings, and then no orphans; everything that is bound otherwise. */
  readonly groups?: readonly SourceBindings[];
  /** Only these clusters, by their keys. */
  readonly clusters?: readonly string[];
};

/**
 * One row for each Secret: what is wrong with it and what the relay would do. Every command shows these rows. It is a
 * sweep that changes nothing, so a command cannot contradict the deployed functions.
 */
export async function assessTargets(
  live: Live,
  which: WhichTargets,
  budget: TimeBudget,
): Promise<SweepReport> {
  const { mode, groups } = which;
  if (mode !== "values" || groups !== undefined) return look(live, which, budget);
  // A comparison of values looks at bound Secrets only; orphans show by metadata.
  const [values, metadata] = await Promise.all([
    look(live, which, budget),
    look(live, { ...which, mode: "metadata" }, budget),
  ]);
  const orphans = metadata.targets.filter(({ finding }) => finding === "ORPHAN");
  return {
    ...values,
    targets: [...values.targets, ...orphans],
    orphansUnknown: metadata.orphansUnknown,
  };
}

function look(
  live: Live,
  { mode = "metadata", groups, clusters }: WhichTargets,
  budget: TimeBudget,
): Promise<SweepReport> {
  const wanted = groups && new Set<Binding>(groups.flatMap(({ bindings }) => bindings));
  const request = {
    mode,
    plan: true,
    inventory: true,
    ...(clusters && { clusters }),
    ...(wanted && { only: (binding: Binding) => wanted.has(binding) }),
  };
  return runSweep(live, live.index, request, sweepSettings(live, budget));
}

/** A sweep from a command line has no queue, and deletes nothing: its file may be older than what is deployed. */
export function sweepSettings(live: Live, budget: TimeBudget): SweepSettings {
  return {
    self: live.aws.home,
    budget,
    shardBindingsMax: Number.POSITIVE_INFINITY,
    deletionsShareMax: 0,
    deletionGraceMs: DELETION_GRACE_MS,
    mayDelete: false,
  };
}

/** As the functions have it by default (DELETION_GRACE_MINUTES). */
const DELETION_GRACE_MS = 86_400_000;
