import { DELETION_GRACE_MS } from "../../shared/assess/observation.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SweepMode, SweepReport } from "../../shared/sweep/report.ts";
import { runSweep, type Sweeper } from "../../shared/sweep/run-sweep.ts";
import type { Session } from "../live/open-session.ts";

export type TargetFilter = {
  readonly mode?: SweepMode;
  /** Only these bindings, and then no orphans. Undefined selects everything that is bound. */
  readonly groups?: readonly SourceBindings[] | undefined;
  /** Only these clusters, by their keys in the bindings. */
  readonly clusters?: readonly string[] | undefined;
  /** Check the Pods for all bindings, and not only for those with `checkPods`. */
  readonly checksAllPods?: boolean;
};

/**
 * One row for each Secret, with its finding and the action of the relay. Every command shows these rows. It is a sweep
 * that changes nothing, so a command cannot contradict the deployed functions.
 */
export async function assessTargets(
  session: Session,
  filter: TargetFilter,
  budget: TimeBudget,
): Promise<SweepReport> {
  const { mode, groups } = filter;
  if (mode !== "values" || groups !== undefined) return sweepPlan(session, filter, budget);
  // A sweep by values compares bound Secrets only; orphans show by metadata.
  const [values, metadata] = await Promise.all([
    sweepPlan(session, filter, budget),
    sweepPlan(session, { ...filter, mode: "metadata" }, budget),
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
  { mode = "metadata", groups, clusters, checksAllPods = false }: TargetFilter,
  budget: TimeBudget,
): Promise<SweepReport> {
  const wanted = groups && new Set<Binding>(groups.flatMap(({ bindings }) => bindings));
  const request = {
    mode,
    plan: true,
    inventory: true,
    checksAllPods,
    ...(clusters && { clusters }),
    ...(wanted && { only: (binding: Binding) => wanted.has(binding) }),
  };
  return runSweep(sweeperOf(session, budget), request);
}

/** A sweep from the command line has no queue, and deletes nothing: its file may be older than the deployed bindings. */
export function sweeperOf(session: Session, budget: TimeBudget): Sweeper {
  return {
    ...session,
    self: session.aws.location,
    budget,
    shardBindingsMax: Number.POSITIVE_INFINITY,
    deletionsShareMax: 0,
    deletionGraceMs: DELETION_GRACE_MS,
    mayDelete: false,
  };
}
