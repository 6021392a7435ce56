import { DELETION_GRACE_MS } from "../../shared/assess/observation.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SweepMode, SweepReport } from "../../shared/sweep/report.ts";
import { runSweep, type Sweeper } from "../../shared/sweep/run-sweep.ts";
import type { Session } from "../live/open-session.ts";

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
  session: Session,
  which: WhichTargets,
  budget: TimeBudget,
): Promise<SweepReport> {
  const { mode, groups } = which;
  if (mode !== "values" || groups !== undefined) return sweepPlan(session, which, budget);
  // A sweep by values compares bound Secrets only; orphans show by metadata.
  const [values, metadata] = await Promise.all([
    sweepPlan(session, which, budget),
    sweepPlan(session, { ...which, mode: "metadata" }, budget),
  ]);
  const orphans = metadata.targets.filter(({ finding }) => finding === "ORPHAN");
  return {
    ...values,
    targets: [...values.targets, ...orphans],
    orphansUnknown: metadata.orphansUnknown,
  };
}

function sweepPlan(
  session: Session,
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
  return runSweep(sweeperOf(session, budget), request);
}

/** A sweep from the command line has no queue, and deletes nothing: its file may be older than the deployed bindings. */
export function sweeperOf(session: Session, budget: TimeBudget): Sweeper {
  return {
    ...session,
    self: session.aws.home,
    budget,
    shardBindingsMax: Number.POSITIVE_INFINITY,
    deletionsShareMax: 0,
    deletionGraceMs: DELETION_GRACE_MS,
    mayDelete: false,
  };
}
