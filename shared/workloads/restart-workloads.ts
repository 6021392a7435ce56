import type { RestartRule, TargetRef, WorkloadKind, WorkloadRef } from "../bindings/binding.ts";
import { ClusterForbidden, FenceConflict } from "../cluster/errors.ts";
import type { RelayMarks } from "../identity/relay-identity.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { backoffMs, type RetryPolicy, type Wait } from "../retry/retry.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { listObjects, type ReaderCluster } from "./list-objects.ts";
import { carriesNotice, type Notice } from "./notice.ts";
import type { RestartOutcome } from "./outcome.ts";
import { planRestart, type RestartPlan } from "./plan-restart.ts";
import { READERS_FIELD_MANAGER } from "./stamps.ts";
import { findUsers } from "./uses-secret.ts";
import { nameOfWorkload, pathOfKind, pathOfWorkload, type RawObject, WORKLOAD_KINDS } from "./workload.ts";

export type RestartDependencies = {
  readonly cluster: ReaderCluster;
  readonly now: () => number;
  readonly wait: Wait;
};

export type RestartRequest = {
  readonly marks: RelayMarks;
  readonly target: TargetRef;
  readonly rule: RestartRule;
  readonly notice: Notice;
  readonly budget: TimeBudget;
};

/**
 * Restarts each workload that runs with another version than the notice's, and records the version of those that are
 * known to have started with it.
 *
 * The fence, per workload: read the workload, *then* the Secret's notice, then patch with that workload's
 * resourceVersion. So a stamp never goes back to an earlier notice, and each notice restarts a workload once.
 */
export async function restartWorkloads(
  deps: RestartDependencies,
  request: RestartRequest,
): Promise<RestartOutcome[]> {
  const { rule, budget } = request;
  const { seen, problems } = await lookForWorkloads(deps, request);
  const isDelayed = rule.delaySeconds > 0 && (await isAnyDue(deps, request, seen));
  if (isDelayed) {
    const ms = rule.delaySeconds * 1_000;
    if (ms >= budget.remainingMs()) {
      const late = seen.map(({ ref }) => outcomeOf(ref, "failed", "RESTART_OUT_OF_TIME"));
      return [...problems, ...late];
    }
    await deps.wait(ms, budget.signal);
  }
  // What was seen before the delay may have changed since.
  const due = isDelayed ? seen.map(({ ref }) => ({ ref })) : seen;
  const outcomes =
    rule.order === "sequence"
      ? await restartInSequence(deps, request, due)
      : await Promise.all(due.map((each) => restartOne(deps, request, each)));
  return [...problems, ...outcomes];
}

/** A workload, and how it looked if that is known. */
type Seen = { readonly ref: WorkloadRef; readonly workload?: RawObject };

async function lookForWorkloads(
  deps: RestartDependencies,
  request: RestartRequest,
): Promise<{ seen: readonly Seen[]; problems: readonly RestartOutcome[] }> {
  const { workloads } = request.rule;
  if (workloads !== "auto") return { seen: workloads.map((ref) => ({ ref })), problems: [] };
  const lists = await Promise.all(WORKLOAD_KINDS.map((kind) => listKind(deps, request, kind)));
  const found = findUsers(
    lists.flatMap((list) => list.workloads),
    request.target.name,
  );
  const seen = found.map((workload) => ({
    ref: { kind: workload.kind as WorkloadKind, name: workload.metadata?.name ?? "" },
    workload,
  }));
  return { seen, problems: lists.flatMap((list) => list.problems) };
}

async function listKind(
  { cluster }: RestartDependencies,
  { target, budget }: RestartRequest,
  kind: WorkloadKind,
): Promise<{ workloads: readonly RawObject[]; problems: readonly RestartOutcome[] }> {
  try {
    const path = pathOfKind(kind, target.namespace);
    const workloads = await listObjects(cluster, path, budget, WORKLOADS_MAX);
    return { workloads: workloads.map((workload) => ({ ...workload, kind })), problems: [] }; // items have no kind
  } catch (error) {
    // Most clusters have no Rollouts, and whoever asks without the right is told 403 and not 404.
    if (kind === "Rollout" && error instanceof ClusterForbidden) return { workloads: [], problems: [] };
    return { workloads: [], problems: [outcomeOfError({ kind, name: "*" }, error)] };
  }
}

/** So that nobody waits for nothing. What can't be read counts as due: it is read again afterwards, and told. */
async function isAnyDue(
  deps: RestartDependencies,
  request: RestartRequest,
  seen: readonly Seen[],
): Promise<boolean> {
  const isDue = async ({ ref, workload }: Seen): Promise<boolean> => {
    try {
      const found = workload ?? (await readWorkload(deps, request, ref));
      return found !== undefined && planFor(deps, request, ref, found).kind === "restart";
    } catch {
      return true;
    }
  };
  return (await Promise.all(seen.map(isDue))).includes(true);
}

async function readWorkload(
  { cluster }: RestartDependencies,
  { target, budget }: RestartRequest,
  ref: WorkloadRef,
): Promise<RawObject | undefined> {
  const path = pathOfWorkload(ref, target.namespace);
  return (await cluster.callObject({ method: "GET", path }, budget)) as RawObject | undefined;
}

async function restartInSequence(
  deps: RestartDependencies,
  request: RestartRequest,
  seen: readonly Seen[],
): Promise<RestartOutcome[]> {
  const outcomes: RestartOutcome[] = [];
  for (const each of seen) {
    const mustWait = outcomes.some(({ outcome }) => outcome === "failed");
    outcomes.push(
      mustWait
        ? outcomeOf(each.ref, "skipped", "RESTART_WAITS_FOR_ANOTHER")
        : await restartOne(deps, request, each),
    );
  }
  return outcomes;
}

async function restartOne(
  deps: RestartDependencies,
  request: RestartRequest,
  { ref, workload: seen }: Seen,
): Promise<RestartOutcome> {
  const { cluster, wait } = deps;
  const { target, budget } = request;
  const path = pathOfWorkload(ref, target.namespace);
  let workload = seen;
  for (let attempts = 1; ; attempts += 1) {
    try {
      workload ??= await readWorkload(deps, request, ref);
      if (workload === undefined) return outcomeOfMissing(ref, request);
      const plan = planFor(deps, request, ref, workload);
      if (plan.kind === "already") return outcomeOf(ref, "already");
      if (plan.kind === "skip") return outcomeOf(ref, "skipped", plan.code);
      if (!(await isStillTold(deps, request))) return outcomeOf(ref, "skipped", "RESTART_SUPERSEDED");
      const query = { fieldManager: READERS_FIELD_MANAGER };
      const patched = await cluster.callObject({ method: "PATCH", path, query, body: plan.patch }, budget);
      if (patched === undefined) return outcomeOfMissing(ref, request);
      return outcomeOf(ref, plan.kind === "restart" ? "restarted" : "already");
    } catch (error) {
      const mayTryAgain = attempts < FENCE_POLICY.attemptsMax && !budget.signal.aborted;
      if (!(error instanceof FenceConflict) || !mayTryAgain) return outcomeOfError(ref, error);
      workload = undefined;
      await wait(backoffMs(FENCE_POLICY, attempts), budget.signal);
    }
  }
}

function planFor(
  { now }: RestartDependencies,
  { target, rule, notice }: RestartRequest,
  { kind }: WorkloadRef,
  workload: RawObject,
): RestartPlan {
  const { minimumIntervalSeconds } = rule;
  return planRestart({
    kind,
    workload,
    secretName: target.name,
    notice,
    minimumIntervalSeconds,
    now: now(),
  });
}

/** Metadata only: no value is read for this. */
async function isStillTold({ cluster }: RestartDependencies, request: RestartRequest): Promise<boolean> {
  const live = await cluster.readMetadata(request.target, request.budget);
  return live !== undefined && carriesNotice(live, request.notice, request.marks);
}

/** A Secret is often created before the workloads that will read it. */
function outcomeOfMissing(ref: WorkloadRef, { notice }: RestartRequest): RestartOutcome {
  return notice.isFirst ? outcomeOf(ref, "already") : outcomeOf(ref, "refused", "WORKLOAD_MISSING");
}

function outcomeOf(ref: WorkloadRef, outcome: RestartOutcome["outcome"], code?: string): RestartOutcome {
  return { workload: nameOfWorkload(ref), outcome, ...(code !== undefined && { code }) };
}

function outcomeOfError(ref: { kind: WorkloadKind; name: string }, error: unknown): RestartOutcome {
  const ours = error instanceof RelayError ? error : UnexpectedFault.from(error);
  return outcomeOf(ref, ours.retryable ? "failed" : "refused", ours.code);
}

/** More in one namespace are not looked at. */
const WORKLOADS_MAX = 5_000;

/** The controllers write status into a workload several times while it rolls. */
const FENCE_POLICY: RetryPolicy = { attemptsMax: 6, pauseMs: 20, pauseMsMax: 500 };
